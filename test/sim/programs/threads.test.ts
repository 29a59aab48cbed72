import { describe, expect, it } from 'vitest'
import {
  explore,
  recordTimeline,
  type Scenario,
  SimulatedKernel,
  type SimulatedThread,
} from '../../../lib/sim/index.ts'
import { exec, outcome, program, text } from '../world.ts'

const run = (code: Parameters<SimulatedKernel['run']>[0]) => new SimulatedKernel().run(code)

describe('a thread', () => {
  it('is joined once it has ended, and gives what its program returned', () => {
    const { stdout, crash } = run(function* (process) {
      const thread = yield* process.thread(function* (self) {
        yield* self.sleep(5)
        yield* self.write(1, text('thread, '))
        return 'result'
      })
      yield* process.write(1, text('main, '))
      yield* process.write(1, text(yield* thread.join()))
    })
    expect({ stdout, crash }).toEqual({ stdout: 'main, thread, result', crash: null })
  })

  it('is awaited by a futex, as a timeline shows', () => {
    const kernel = new SimulatedKernel()
    const recording = recordTimeline(kernel)
    kernel.run(function* (process) {
      const thread = yield* process.thread(self => self.sleep(5))
      yield* thread.join()
    })
    expect(String(recording.finish())).toContain('futex(WAIT, 102) …')
  })

  it('that has ended already is joined at once, and by several', () => {
    const { status } = run(function* (process) {
      const first = yield* process.thread(function* (self) {
        yield* self.schedYield()
        return 3
      })
      yield* process.sleep(5)
      const others: SimulatedThread<number>[] = []
      for (let i = 0; i < 2; i++) {
        others.push(
          yield* process.thread(function* () {
            return yield* first.join()
          }),
        )
      }
      let sum = 0
      for (const other of others) sum += yield* other.join()
      return sum
    })
    expect(status.code).toBe(6)
  })

  it('goes on being joined after a handler', () => {
    const { stdout } = run(function* (process) {
      yield* process.sigaction('SIGUSR1', function* (self) {
        yield* self.write(1, text('handled, '))
      })
      const { pid, tid } = process
      const thread = yield* process.thread(function* (self) {
        yield* self.tgkill(pid, tid, 'SIGUSR1')
        yield* self.sleep(5)
        return 'joined'
      })
      yield* process.write(1, text(yield* thread.join()))
    })
    expect(stdout).toBe('handled, joined')
  })

  it('is not joined by itself, nor by another process', () => {
    const { stdout } = run(function* (process) {
      let thread!: SimulatedThread<void>
      thread = yield* process.thread(function* (self) {
        yield* self.sleep(1)
        yield* self.write(1, text(yield* failing(() => thread.join())))
      })
      const child = yield* process.fork(function* (self) {
        yield* self.write(1, text(yield* failing(() => thread.join())))
      })
      yield* process.waitpid(child)
      yield* thread.join()
    })
    expect(stdout).toBe('ESRCHEDEADLK')
  })

  it.each(['bounded', 'exhaustive'] as const)(
    'does before a join what comes after: no race under any schedule (%s)',
    async strategy => {
      const scenario =
        (joins: boolean): Scenario =>
        ({ kernel, system }) => {
          const cell = kernel.cell(0)
          kernel.install('/main', function* (process) {
            const thread = yield* process.thread(self => self.store(cell, 1))
            if (joins) yield* thread.join()
            if ((yield* process.load(cell)) !== 1) return 1
            return 0
          })
          const ended = system.waitpid(system.fork(program(exec('/main'))))
          if (joins && ended?.status.kind === 'exited' && ended.status.code !== 0) throw new Error('not stored yet')
        }
      expect(await explore(scenario(true), { strategy })).toMatchObject({ complete: true })
      expect((await explore(scenario(true), { strategy })).failure).toBeUndefined()
      expect((await explore(scenario(false), { strategy })).failure?.kind).toBe('race')
    },
  )

  it('that is joined and never ends is a deadlock that names both threads, and the descriptor closed under the reader', () => {
    const kernel = new SimulatedKernel()
    const deadlock = outcome(() => kernel.run('/bin/true'))
    expect(deadlock).toMatchObject({ status: { code: 0 } })
    let message = ''
    try {
      kernel.run(function* main(process) {
        const [read] = yield* process.pipe2()
        const thread = yield* process.thread(function* (self) {
          yield* self.read(read, new Uint8Array(1))
        })
        yield* process.sleep(5)
        yield* process.close(read)
        yield* thread.join()
      })
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).toMatch(
      /\n {2}(\d+) \(\/run\/main\) waits for the end of thread (\d+)\n {2}thread \2 of \1 \(\/run\/main\) waits/,
    )
    expect(message).toMatch(/ \(descriptor 3, which was closed at 5 ms by \d+ \(\/run\/main\)\), whose other end /)
    expect(kernel.host.pipe2()).toEqual([3, 4])
  })
})

/** The code with which a call fails. */
function* failing(call: () => ReturnType<SimulatedThread<void>['join']>) {
  try {
    yield* call()
    return 'done'
  } catch (error) {
    return (error as { code: string }).code
  }
}
