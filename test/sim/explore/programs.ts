/** Small programs whose outcome depends on the order of what happens in them. */

import type { Program, SimulatedKernel } from '../../../lib/sim/index.ts'
import { constants } from '../../../lib/system/constants.ts'
import type { System } from '../system.ts'
import { exec } from '../world.ts'

const { EPOLLIN, EPOLL_CTL_ADD, WNOHANG, WUNTRACED, __WALL, O_NONBLOCK, POLLIN } = constants
const { PTRACE_O_TRACEFORK, PTRACE_O_TRACECLONE } = constants

interface World {
  readonly kernel: SimulatedKernel
  readonly system: System
}

/** Notes the outcome of a run. */
export type Outcome = (world: World, note: (what: string) => void) => void | Promise<void>

/** A child of the host that runs a program. */
function start({ kernel, system }: World, name: string, program: Program): number {
  kernel.install(`/bin/${name}`, program)
  return system.fork({ actions: [exec(`/bin/${name}`)] })
}

const byte = (value: number) => Uint8Array.of(value)

const simple: Readonly<Record<string, Outcome>> = {
  'two writers of one pipe': (world, note) => {
    const { system } = world
    const [read, write] = system.pipe2(0)
    for (const value of [1, 2]) {
      system.fork({ actions: [{ op: 'write', fd: write, data: byte(value) }] })
    }
    const buffer = new Uint8Array(1)
    for (let i = 0; i < 2; i++) {
      system.read(read, buffer)
      note(String(buffer[0]))
    }
  },
  'a byte and an end of file': ({ system }, note) => {
    const [read, write] = system.pipe2(O_NONBLOCK)
    const pid = system.fork({ actions: [{ op: 'write', fd: write, data: byte(1) }, exec('/bin/true')] })
    system.close(write)
    const buffer = new Uint8Array(4)
    for (let i = 0; i < 3; i++) {
      try {
        note(`read ${system.read(read, buffer)}`)
      } catch (error) {
        note((error as { code: string }).code)
      }
    }
    note(String(system.waitpid(pid, WNOHANG)?.status.kind))
  },
  'waits for whichever ends first': (world, note) => {
    const { system } = world
    const pids = [3, 4].map(code => system.fork({ actions: [{ op: 'exit', code }] }))
    for (const _ of pids) note(String(system.waitpid(-1)?.pid))
  },
  'a signal at any time': (world, note) => {
    const { system } = world
    const [read, write] = system.pipe2(0)
    const pid = start(world, 'p', function* (process) {
      yield* process.sigaction('SIGUSR1', function* (self) {
        yield* self.write(write, byte(9))
      })
      yield* process.write(write, byte(1))
      yield* process.write(write, byte(2))
    })
    system.kill(pid, 'SIGUSR1')
    note(system.waitpid(pid)!.status.kind)
    system.close(write)
    const buffer = new Uint8Array(8)
    note(String([...buffer.subarray(0, system.read(read, buffer))]))
  },
  'a kill, and stops that a wait may see': (world, note) => {
    const { system } = world
    const pid = start(world, 'p', function* (process) {
      yield* process.raise('SIGSTOP')
      return 4
    })
    note(String(system.waitpid(pid, WNOHANG | WUNTRACED)?.status.kind))
    system.kill(pid, 'SIGCONT')
    system.kill(pid, 'SIGKILL')
    note(JSON.stringify(system.waitpid(pid)?.status))
  },
  'traceme and a wait': ({ system }, note) => {
    const pid = system.fork({ actions: [{ op: 'traceme' }, exec('/bin/true')] })
    try {
      system.ptraceCont(pid)
      note('continued')
    } catch (error) {
      note((error as { code: string }).code)
    }
    note(String(system.waitpid(pid, WNOHANG)?.status.kind))
  },
  'an epoll of two pipes': (world, note) => {
    const { system } = world
    const epoll = system.epollCreate1(0)
    const ends = [0, 1].map(data => {
      const [read, write] = system.pipe2(0)
      system.epollCtl(epoll, EPOLL_CTL_ADD, read, { events: EPOLLIN, data })
      system.fork({ actions: [{ op: 'write', fd: write, data: byte(data) }] })
      return read
    })
    const found = system.epollWait(epoll, 4, -1)
    for (const { data } of found) note(`${data} ${system.read(ends[data]!, new Uint8Array(1))}`)
  },
  'two children that close a write end, and only the second reports it': ({ system }, note) => {
    const [read, write] = system.pipe2(O_NONBLOCK)
    const [ready, readyInChild] = system.pipe2(0)
    system.fork({ actions: [{ op: 'close', fd: write }] })
    system.fork({
      actions: [
        { op: 'close', fd: write },
        { op: 'write', fd: readyInChild, data: byte(1) },
      ],
    })
    system.close(write)
    system.read(ready, new Uint8Array(1))
    try {
      note(`read ${system.read(read, new Uint8Array(1))}`)
    } catch (error) {
      note((error as { code: string }).code)
    }
  },
  'two children that close a read end, and its writer': ({ system }, note) => {
    const [read, write] = system.pipe2(0)
    for (let i = 0; i < 2; i++) system.fork({ actions: [{ op: 'close', fd: read }] })
    system.close(read)
    try {
      note(`wrote ${system.write(write, byte(1))}`)
    } catch (error) {
      note((error as { code: string }).code)
    }
  },
  'two tracees, waited for at once': ({ system }, note) => {
    for (let i = 0; i < 2; i++) system.fork({ actions: [{ op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }] })
    for (let i = 0; i < 2; i++) note(String(system.waitpid(-1)?.pid))
  },
  'memory of two threads': (world, note) => {
    const { kernel, system } = world
    const cell = kernel.cell(0)
    const other = kernel.cell(0)
    const pid = start(world, 'p', function* (process) {
      yield* process.thread(function* (self) {
        yield* self.store(other, 1)
        yield* self.store(cell, (yield* self.load(cell)) + 1)
      })
      yield* process.store(cell, (yield* process.load(cell)) + 1)
      note(`other ${yield* process.load(other)}`)
    })
    system.waitpid(pid)
    note(`cell ${cell.value}`)
  },
  'what the host awaits': async ({ system }, note) => {
    const [read, write] = system.pipe2(0)
    const pid = system.fork({
      actions: [
        { op: 'write', fd: write, data: byte(1) },
        { op: 'exit', code: 0 },
      ],
    })
    const ended = new Promise<void>(resolve => {
      system.onChildChange(() => {
        note('news')
        if (system.waitpid(pid, WNOHANG) !== null) resolve()
      })
    })
    await Promise.all([
      ended,
      system.ready(read, POLLIN).then(() => note('byte')),
      system.sleep(0).then(() => note('time')),
    ])
  },
  'news of children': async ({ system }, note) => {
    const pid = system.fork({ actions: [exec('/bin/true')] })
    const other = system.fork({ actions: [{ op: 'exit', code: 2 }] })
    await new Promise<void>(resolve => {
      let left = 2
      system.onChildChange(() => {
        for (const each of [pid, other]) {
          try {
            if (system.waitpid(each, WNOHANG) === null) continue
            note(String(each))
            if (--left === 0) resolve()
          } catch {}
        }
      })
    })
  },
}

/** A tracee at its first stop; `options` are PTRACE_O_*. */
function traced(world: World, options: number, program: Program): number {
  const { kernel, system } = world
  kernel.install('/bin/traced', program)
  const pid = system.fork({ actions: [{ op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }, exec('/bin/traced')] })
  system.waitpid(pid)
  system.ptraceSetOptions(pid, options)
  return pid
}

/** Waits twice for any task, without blocking. */
function lookTwice({ system }: World, note: (what: string) => void): void {
  for (let i = 0; i < 2; i++) {
    const found = system.waitpid(-1, WNOHANG | __WALL)
    note(found === null ? 'nothing' : `${found.pid} ${found.status.kind}`)
  }
}

const ofTracees: Readonly<Record<string, Outcome>> = {
  'a tracee that is born while any is waited for': (world, note) => {
    const pid = traced(world, PTRACE_O_TRACEFORK, function* (process) {
      yield* process.fork({ actions: [{ op: 'exit', code: 0 }] })
    })
    world.system.ptraceCont(pid)
    lookTwice(world, note)
  },
  'a thread that is born while any is waited for': (world, note) => {
    const pid = traced(world, PTRACE_O_TRACECLONE, function* (process) {
      yield* process.thread(function* (self) {
        yield* self.schedYield()
      })
    })
    world.system.ptraceCont(pid)
    lookTwice(world, note)
  },
  'news of a tracee that is born': async (world, note) => {
    const { system } = world
    const pid = traced(world, PTRACE_O_TRACEFORK, function* (process) {
      yield* process.fork({ actions: [{ op: 'exit', code: 0 }] })
    })
    const exec = new Promise<void>(resolve => {
      system.onChildChange(() => {
        note('news')
        for (let found = true; found; ) {
          const result = system.waitpid(-1, WNOHANG | __WALL)
          found = result !== null
          if (result === null) continue
          note(String(result.pid))
          if (result.status.kind === 'stopped' && result.status.event === undefined) system.ptraceCont(result.pid)
          else resolve()
        }
      })
    })
    system.ptraceCont(pid)
    await exec
    await system.sleep(1)
  },
}

/** By name. */
export const programs: Readonly<Record<string, Outcome>> = { ...simple, ...ofTracees }

/** Two children sleep for ever. Notes how many were killed when the host looks, after some time and then again. */
export const looksTwice: Outcome = async ({ kernel, system }, note) => {
  kernel.install('/bin/sleeps', function* (process) {
    yield* process.pause()
  })
  const pids = [0, 1].map(() => system.fork({ actions: [exec('/bin/sleeps')] }))
  const seen: number[] = []
  for (let i = 0; i < 2; i++) {
    await system.sleep(5)
    const ended = pids.filter(pid => system.waitpid(pid, WNOHANG) !== null)
    for (const pid of ended) pids.splice(pids.indexOf(pid), 1)
    seen.push(ended.length)
  }
  note(seen.join(' '))
  for (const pid of pids) {
    system.kill(pid, 'SIGKILL')
    system.waitpid(pid)
  }
}
