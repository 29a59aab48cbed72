/** attach() to programs whose threads come, go and exec meanwhile, and the end of those that are let go. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { attach } from '../../../lib/launch/attach.ts'
import { privateCallsOf } from '../../../lib/system/private-calls.ts'
import { rounds } from '../../support/rounds.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { describeNative } from '../support/native.ts'
import { startNode } from '../support/node.ts'
import { running as runningPrograms, stateOf, statusOf, until } from '../support/processes.ts'

const title = `a program that changes while it is attached to${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`

describeNative(title, system => {
  if (whyNoCompiler !== undefined) return it.skip('is held as a whole', () => {})
  const folder = temporaryFolder()
  const manyThreads = compile(folder, 'many-threads', ['-pthread'])
  const execAgain = compile(folder, 'exec-again', ['-pthread'])
  const threads = compile(folder, 'threads')
  const forks = compile(folder, 'forks')

  interface Running extends AsyncDisposable {
    readonly pid: number
    readonly shell: ChildProcess
    readonly text: () => string
  }

  /** A program that is the child of a shell, which says how it has ended. Its descriptors 3 and 4 are pipes. */
  async function running(command: string): Promise<Running> {
    const script = `${command} & echo $!; exec 3<&- 4<&-; wait $!; echo code $?`
    const shell = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore', 'pipe', 'pipe'] })
    const closed = once(shell, 'close')
    let text = ''
    shell.stdout!.on('data', chunk => {
      text += chunk
    })
    await until('the program has started', () => /^\d+$/m.test(text))
    const pid = Number(/^\d+$/m.exec(text)?.[0])
    return {
      pid,
      shell,
      text: () => text,
      async [Symbol.asyncDispose]() {
        if (stateOf(pid) !== 'gone') system.kill(pid, 'SIGKILL')
        await closed
      },
    }
  }

  const tasks = (pid: number) => readdirSync(`/proc/${pid}/task`).map(Number)

  /** The tracer of a process; 0 of one that is gone. */
  const tracerOf = (pid: number) => {
    try {
      return statusOf(pid, 'TracerPid')
    } catch {
      return 0
    }
  }

  it('is held with every thread, though others end while they are listed', async () => {
    await using program = await running(`${manyThreads} 30 pass-on 0<&3`)
    await until('it is ready', () => program.text().includes('ready'))
    for (let round = 0; round < rounds(10, 100); round++) {
      await using tracee = await attach(program.pid)
      // Threads that had begun to end are listed for an instant. One that runs always has a successor.
      await until('every thread is stopped', () => tasks(program.pid).every(tid => stateOf(tid) === 't'))
      expect([...tracee.threads.keys()].sort()).toEqual(tasks(program.pid).sort())
    }
  })

  it('is given up at the time limit, though its threads keep changing', async () => {
    await using program = await running(`${threads} p`)
    const calls = privateCallsOf(system) as { threadsOf: (pid: number) => number[] }
    const { threadsOf } = calls
    // Every listing has threads that are gone when they are seized.
    calls.threadsOf = pid => [...threadsOf(pid), ...Array<number>(500).fill(0x7fffffff)]
    try {
      const refused = { code: 'ERR_TIMED_OUT' }
      await expect(attach(program.pid, { system, timeoutMs: 20 })).rejects.toMatchObject(refused)
    } finally {
      calls.threadsOf = threadsOf
    }
    await until('it is let go', () => statusOf(program.pid, 'TracerPid') === 0)
  })

  it('is listed until no thread is missing, while the event loop turns', async () => {
    await using program = await running(`${threads} 't(p)p'`)
    await until('both threads wait', () => tasks(program.pid).length === 2)
    const calls = privateCallsOf(system) as { threadsOf: (pid: number) => number[] }
    const { threadsOf } = calls
    let listings = 0
    let turns = 0
    const turning = setInterval(() => turns++, 0)
    // The listing that is whole comes late, and the thread is in none before it.
    calls.threadsOf = pid => (++listings <= 250 ? [pid, 0x7fffffff] : threadsOf(pid))
    try {
      await using tracee = await attach(program.pid, { system })
      expect(tracee.threads.size).toBe(2)
      expect(tasks(program.pid).map(stateOf)).toEqual(['t', 't'])
      expect(turns).toBeGreaterThan(0)
    } finally {
      calls.threadsOf = threadsOf
      clearInterval(turning)
    }
  })

  it('is held though a thread execs in the main one’s place meanwhile', async () => {
    await using program = await running(`${execAgain} 0 200`)
    for (let round = 0; round < rounds(100, 2000); round++) {
      const tracee = await attach(program.pid, { timeoutMs: 20_000 })
      expect(statusOf(program.pid, 'TracerPid')).toBe(process.pid)
      expect(stateOf(program.pid)).toBe('t')
      await tracee.detach()
    }
  })

  it('is let go with what it has started, where the attach is given up', async () => {
    await using program = await running(`${forks} given-up`)
    try {
      for (let round = 0; round < rounds(30, 500); round++) {
        const giveUp = new AbortController()
        const attached = attach(program.pid, { follow: 'all', signal: giveUp.signal })
        giveUp.abort()
        // It may have stopped by then.
        const tracee = await attached.catch((error: unknown) => {
          expect(error).toMatchObject({ name: 'AbortError' })
        })
        await tracee?.[Symbol.asyncDispose]()
        await until('it is traced no more', () => tracerOf(program.pid) === 0)
      }
      await until('nor is what it started', () => runningPrograms(forks).every(pid => tracerOf(pid) === 0))
    } finally {
      for (const pid of runningPrograms(forks)) {
        try {
          if (pid !== program.pid) process.kill(pid, 'SIGKILL')
        } catch {
          // It has ended by itself.
        }
      }
    }
  })

  it('is stopped with every thread once it is handed off', async () => {
    await using program = await running(`${threads} '${'t(p)'.repeat(30)}p'`)
    await until('it has its threads', () => tasks(program.pid).length === 31)
    for (let round = 0; round < rounds(20, 500); round++) {
      const tracee = await attach(program.pid)
      await tracee.handOff()
      expect(tasks(program.pid).map(stateOf).join('')).toBe('T'.repeat(31))
      tracee.kill('SIGCONT')
    }
  })

  it('is refused, and left alone, where another process traces one of its threads', async () => {
    await using program = await running(`${threads} 't(p)p'`)
    const thread = () => tasks(program.pid).find(tid => tid !== program.pid)
    await until('it has its thread', () => thread() !== undefined)
    const other = startNode(
      `openSystem().ptraceSeize(${thread()}, 0); report('traces'); await once(process.stdin.resume(), 'end')`,
    )
    const closed = once(other, 'close')
    await once(other.stdout!, 'data')
    const refused = expect.stringContaining(`process ${other.pid} (node) traces it already`)
    await expect(attach(program.pid)).rejects.toMatchObject({ code: 'EPERM', message: refused })
    await until('it is let go', () => statusOf(program.pid, 'TracerPid') === 0 && stateOf(program.pid) === 'S')
    other.stdin!.end()
    await closed
  })

  it('tells its parent its exit, let go after its main thread has ended', async () => {
    await using program = await running(`${threads} 't(r4x5)r3e0'`)
    const tracee = await attach(program.pid)
    const ended = once(tracee.mainThread, 'end')
    tracee.run().catch(() => {})
    const [main, thread] = program.shell.stdio.slice(3) as NodeJS.WritableStream[]
    main!.end('x')
    await ended
    await tracee.detach()
    thread!.end('x')
    expect(await tracee.exited).toMatchObject({ code: 5 })
    await until('its parent has its exit', () => program.text().includes('code 5'))
  })

  it('is sent nothing after its parent has reaped it', async () => {
    await using program = await running(`${threads} p`)
    const tracee = await attach(program.pid)
    await tracee.detach()
    expect(tracee.kill('SIGKILL')).toBe(true)
    // The event loop has not seen its end yet.
    while (stateOf(program.pid) !== 'gone') {}
    expect(tracee.kill('SIGKILL')).toBe(false)
  })
})
