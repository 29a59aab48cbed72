import { describe, expect, it } from 'vitest'
import type { SimulatedProcess } from '../../../lib/sim/index.ts'
import type { Signal } from '../../../lib/system/signals.ts'
import { bytes, constants, exec, program } from '../world.ts'
import { racing, racingProgram, together } from './run.ts'

const { WUNTRACED, WCONTINUED, WNOHANG, PTRACE_O_TRACEEXEC } = constants

describe('a new process', () => {
  it.each([
    ['before', 'none'],
    ['after', 'all'],
  ] as const)('knows what its parent did before the fork: a store %s it, %s race', async (when, races) => {
    const found = await racingProgram(function* (self, cell) {
      if (when === 'before') yield* self.store(cell, 1)
      const child = yield* self.fork(each => each.load(cell))
      if (when === 'after') yield* self.store(cell, 1)
      yield* self.waitpid(child)
    })
    expect(found).toBe(races)
  })
})

describe('a thread', () => {
  it.each([
    ['before', 'none'],
    ['after', 'all'],
  ] as const)('knows what came before its creation: a store %s it, %s race', async (when, races) => {
    const found = await racingProgram(function* (self, cell) {
      const [r, w] = yield* self.pipe2()
      if (when === 'before') yield* self.store(cell, 1)
      yield* self.thread(function* (thread) {
        yield* thread.load(cell)
        yield* thread.write(w, bytes(1))
      })
      if (when === 'after') yield* self.store(cell, 1)
      yield* self.read(r, bytes(1))
    })
    expect(found).toBe(races)
  })

  it('and another of the same process race like any two tasks', async () => {
    const found = await racingProgram(function* (self, cell) {
      const [r, w] = yield* self.pipe2()
      for (let i = 0; i < 2; i++) {
        yield* self.thread(function* (thread) {
          yield* thread.store(cell, i)
          yield* thread.write(w, bytes(1))
        })
      }
      for (let i = 0; i < 2; i++) yield* self.read(r, bytes(1))
    })
    expect(found).toBe('all')
  })
})

describe('a wait', () => {
  it('for an end comes after all that every thread of the process did', async () => {
    const found = await racingProgram(function* (self, cell) {
      const child = yield* self.fork(function* (process) {
        const [r, w] = yield* process.pipe2()
        yield* process.thread(function* (thread) {
          yield* thread.write(w, bytes(1))
          yield* thread.store(cell, 1)
          yield* thread.pause()
        })
        yield* process.read(r, bytes(1))
      })
      yield* self.waitpid(child)
      yield* self.load(cell)
    })
    expect(found).toBe('none')
  })

  it('that finds nothing yet orders nothing', async () => {
    const found = await racingProgram(function* (self, cell) {
      const child = yield* self.fork(each => each.store(cell, 1))
      const ended = yield* self.waitpid(child, WNOHANG)
      yield* self.load(cell)
      if (ended === null) yield* self.waitpid(child)
    })
    expect(found).toBe('some')
  })

  it.each([
    ['before', 'none'],
    ['after', 'all'],
  ] as const)('for a stop comes after what was done before it: a store %s it, %s race', async (when, races) => {
    const found = await racingProgram(function* (self, cell) {
      const child = yield* self.fork(function* (process) {
        if (when === 'before') yield* process.store(cell, 1)
        yield* process.raise('SIGSTOP')
        if (when === 'after') yield* process.store(cell, 1)
      })
      yield* self.waitpid(child, WUNTRACED)
      if (when === 'before') yield* self.load(cell)
      yield* self.kill(child, 'SIGCONT')
      if (when === 'after') yield* self.load(cell)
      yield* self.waitpid(child)
    })
    expect(found).toBe(races)
  })

  it('for a continuation comes after what its sender did', async () => {
    const found = await racingProgram(function* (self, cell) {
      const child = yield* self.fork(function* (process) {
        yield* process.raise('SIGSTOP')
        yield* process.pause()
      })
      yield* self.waitpid(child, WUNTRACED)
      const sender = yield* self.fork(function* (process) {
        yield* process.store(cell, 1)
        yield* process.kill(child, 'SIGCONT')
      })
      yield* self.waitpid(child, WCONTINUED)
      yield* self.load(cell)
      yield* self.kill(child, 'SIGKILL')
      for (const pid of [child, sender]) yield* self.waitpid(pid)
    })
    expect(found).toBe('none')
  })

  it('for the end of a killed process comes after what its killer did', async () => {
    const found = await racingProgram(function* (self, cell) {
      const victim = yield* self.fork(function* (process) {
        yield* process.pause()
      })
      const killer = yield* self.fork(function* (process) {
        yield* process.store(cell, 1)
        yield* process.kill(victim, 'SIGKILL')
      })
      yield* self.waitpid(victim)
      yield* self.load(cell)
      yield* self.waitpid(killer)
    })
    expect(found).toBe('none')
  })
})

describe('a signal', () => {
  function* handled(self: SimulatedProcess, ...blocked: readonly Signal[]) {
    const flag = { ran: 0 }
    yield* self.sigaction('SIGUSR1', function* () {
      yield* self.schedYield()
      flag.ran++
    })
    yield* self.sigprocmask('block', blocked)
    return flag
  }

  it.each([
    ['before', 'none'],
    ['after', 'all'],
  ] as const)('orders what its sender did before: a store %s the kill, %s race', async (when, races) => {
    const found = await racingProgram(function* (self, cell) {
      const flag = yield* handled(self, 'SIGUSR1')
      const sender = yield* self.fork(function* (child) {
        if (when === 'before') yield* child.store(cell, 1)
        yield* child.kill(child.parentPid, 'SIGUSR1')
        if (when === 'after') yield* child.store(cell, 1)
      })
      yield* self.sigprocmask('unblock', ['SIGUSR1'])
      while (flag.ran === 0) yield* self.schedYield()
      yield* self.load(cell)
      yield* self.waitpid(sender)
    })
    expect(found).toBe(races)
  })

  it('that was pending already when another sent it, too, orders both', async () => {
    const found = await racingProgram(function* (self, cell) {
      const flag = yield* handled(self, 'SIGUSR1')
      const [r, w] = yield* self.pipe2()
      const senders: number[] = []
      for (const stores of [false, true]) {
        senders.push(
          yield* self.fork(function* (child) {
            if (stores) yield* child.store(cell, 1)
            yield* child.kill(child.parentPid, 'SIGUSR1')
            yield* child.sleep(1)
            yield* child.write(w, bytes(1))
          }),
        )
      }
      // Time passes when both have sent.
      yield* self.sleep(1)
      yield* self.sigprocmask('unblock', ['SIGUSR1'])
      while (flag.ran === 0) yield* self.schedYield()
      yield* self.load(cell)
      for (const sender of senders) yield* self.waitpid(sender)
      yield* self.read(r, bytes(2))
    })
    expect(found).toBe('none')
  })

  it('that is ignored orders nothing', async () => {
    const found = await racingProgram(function* (self, cell) {
      yield* self.sigaction('SIGUSR1', 'ignore')
      const sender = yield* self.fork(function* (child) {
        yield* child.store(cell, 1)
        yield* child.kill(child.parentPid, 'SIGUSR1')
      })
      yield* self.sleep(1)
      yield* self.load(cell)
      yield* self.waitpid(sender)
    })
    expect(found).toBe('all')
  })
})

describe('tracing', () => {
  it('orders what the tracee did before its stop, and what the tracer did before the tracee goes on', async () => {
    const find = (tracerStores: 'before' | 'after') =>
      racingProgram(function* (self, cell) {
        const child = yield* self.fork(function* (process) {
          yield* process.traceme()
          yield* process.store(cell, 1)
          yield* process.raise('SIGSTOP')
          yield* process.load(cell)
        })
        yield* self.waitpid(child)
        yield* self.load(cell)
        if (tracerStores === 'before') yield* self.store(cell, 2)
        yield* self.ptraceCont(child)
        if (tracerStores === 'after') yield* self.store(cell, 2)
        yield* self.waitpid(child)
      })
    expect(await find('before')).toBe('none')
    expect(await find('after')).toBe('all')
  })

  it('orders what the tracee did before a stop that its tracer saw by a request that did not fail', async () => {
    const found = await racingProgram(function* (self, cell) {
      const child = yield* self.fork(function* (process) {
        yield* process.traceme()
        yield* process.store(cell, 1)
        yield* process.raise('SIGSTOP')
      })
      for (let stopped = false; !stopped; ) {
        try {
          yield* self.ptraceGetEventMessage(child)
          stopped = true
        } catch {
          // Not yet.
        }
      }
      yield* self.load(cell)
      yield* self.ptraceCont(child)
      // The stop, if no wait has reported it yet, or the end.
      yield* self.waitpid(child)
    })
    expect(found).toBe('none')
  })

  it('orders what comes before the exec stop of a launch before what the host does there, and that before the program', async () => {
    const find = (storesAfterCont: boolean) =>
      racing(({ kernel, host }) => {
        const cell = kernel.cell(0)
        kernel.install('/program', self => self.load(cell))
        const child = host.fork(program({ op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }, exec('/program')))
        host.waitpid(child)
        host.ptraceSetOptions(child, PTRACE_O_TRACEEXEC)
        host.ptraceCont(child)
        host.waitpid(child)
        if (!storesAfterCont) cell.value = 1
        host.ptraceCont(child)
        if (storesAfterCont) cell.value = 1
        host.waitpid(child)
      })
    expect(await find(false)).toBe('none')
    expect(await find(true)).toBe('all')
  })
})

describe('exec', () => {
  it('comes after all that the other threads of the process did', async () => {
    const found = await racing(({ kernel, host }) => {
      const cell = kernel.cell(0)
      kernel.install('/next', self => self.load(cell))
      kernel.install('/threads', function* (self) {
        yield* self.thread(function* (thread) {
          yield* thread.store(cell, 1)
          yield* thread.pause()
        })
        yield* self.execve('/next')
      })
      host.waitpid(host.fork(program(exec('/threads'))))
    })
    expect(found).toBe('none')
  })
})

describe('the host', () => {
  it('races with its children by cell.value', async () => {
    const find = (waits: boolean) =>
      racing(({ kernel, host }) => {
        const cell = kernel.cell(0)
        kernel.install('/program', self => self.store(cell, 1))
        const child = host.fork(program(exec('/program')))
        if (waits) host.waitpid(child)
        cell.value = cell.value + 1
        if (!waits) host.waitpid(child)
      })
    expect(await find(true)).toBe('none')
    expect(await find(false)).toBe('all')
  })

  it('acquires what came before the SIGCHLD that its subscriptions get', async () => {
    const found = await racing(async ({ kernel, host }) => {
      const cell = kernel.cell(0)
      kernel.install('/program', self => self.store(cell, 1))
      let loaded: number | undefined
      const ended = new Promise<void>(resolve => {
        const end = host.onChildChange(() => {
          loaded = cell.value
          end()
          resolve()
        })
      })
      const child = host.fork(program(exec('/program')))
      await ended
      host.waitpid(child)
      expect(loaded).toBe(1)
    })
    expect(found).toBe('none')
  })
})

describe('two processes', () => {
  it('that take turns by two pipes never race, however long', async () => {
    const found = await racingProgram(function* (self, cell) {
      const [r1, w1] = yield* self.pipe2()
      const [r2, w2] = yield* self.pipe2()
      const turns = (r: number, w: number) =>
        function* (child: SimulatedProcess) {
          for (let i = 0; i < 20; i++) {
            yield* child.read(r, bytes(1))
            yield* child.store(cell, (yield* child.load(cell)) + 1)
            yield* child.write(w, bytes(1))
          }
        }
      yield* self.write(w1, bytes(1))
      yield* together(self, turns(r1, w2), turns(r2, w1))
      if ((yield* self.load(cell)) !== 40) throw new Error('a turn was lost')
    })
    expect(found).toBe('none')
  })
})
