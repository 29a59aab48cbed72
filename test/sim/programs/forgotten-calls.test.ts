import { describe, expect, it } from 'vitest'
import { explore, type Program, ProgramError, SimulatedKernel, type SimulatedProcess } from '../../../lib/sim/index.ts'
import { bytes, outcome, text } from '../world.ts'

/** Of a kind that does not compile. */
type Untyped = (
  process: {
    // biome-ignore lint/suspicious/noExplicitAny: what a plain JavaScript program can write
    readonly [name in keyof SimulatedProcess]: any
  },
) => Generator<unknown, unknown, unknown>
const wrong = (code: Untyped) => code as unknown as Program

const forgotten: [what: string, method: string, code: Program][] = [
  [
    'takes its result apart',
    'pipe2',
    wrong(function* (process) {
      const [read, write] = process.pipe2()
      yield* process.dup3(read, write)
    }),
  ],
  [
    'takes one part of its result',
    'pipe2',
    wrong(function* (process) {
      const [read] = process.pipe2()
      yield* process.close(read)
    }),
  ],
  [
    'takes one part of its result, and exits',
    'socketpair',
    wrong(function* (process) {
      const [end] = process.socketpair(1, 1)
      yield* process.exit(typeof end === 'number' ? 0 : 1)
    }),
  ],
  [
    'spreads it',
    'pipe2',
    wrong(function* (process) {
      const ends = [...process.pipe2()]
      yield* process.exit(ends.length)
    }),
  ],
  [
    'spreads it, and catches what comes of that',
    'pipe2',
    wrong(function* (process) {
      for (let i = 0; i < 3; i++) outcome(() => [...process.pipe2()])
      yield* process.schedYield()
    }),
  ],
  [
    'loops over it',
    'read',
    wrong(function* (process) {
      for (const each of process.read(0, bytes(1))) if (each === 1) return 1
      yield* process.schedYield()
    }),
  ],
  [
    'uses the pid of its child',
    'fork',
    wrong(function* (process) {
      const pid = process.fork(function* () {})
      yield* process.waitpid(pid, 0)
    }),
  ],
  [
    'uses its thread',
    'thread',
    wrong(function* (process) {
      const thread = process.thread(function* () {})
      yield* thread.join()
    }),
  ],
  [
    'executes another program, which is not to blame',
    'write',
    function* (process) {
      process.write(1, text('x'))
      yield* process.execve('/bin/true')
    },
  ],
]

describe('a program that forgets a yield*', () => {
  it.for(forgotten)('and %s ends with an error that names the call: %s', ([, method, code]) => {
    const { status, crash } = new SimulatedKernel().run(code)
    expect(status.signal).toBe('SIGABRT')
    expect(crash?.error).toBeInstanceOf(ProgramError)
    const message = expect.stringContaining(`made the call ${method}() without yield*, so it never ran`)
    expect(crash?.error).toMatchObject({ message })
  })

  it('keeps the error that came of it', () => {
    const { crash } = new SimulatedKernel().run(
      wrong(function* (process) {
        yield* process.waitpid(process.fork(function* () {}))
      }),
    )
    const cause = { code: 'ERR_INVALID_ARG_TYPE', message: expect.stringMatching(/Received an instance of Generator$/) }
    expect(crash?.error).toMatchObject({ code: 'ERR_INVALID_PROGRAM', cause })
  })

  it('and accesses memory so ends with an error, too', () => {
    for (const access of ['load', 'store'] as const) {
      const kernel = new SimulatedKernel()
      const cell = kernel.cell(0)
      const { crash } = kernel.run(
        wrong(function* (process) {
          const [value] = process[access](cell, 1)
          yield* process.exit(value === 0 ? 0 : 1)
        }),
      )
      expect(crash?.error).toMatchObject({ message: expect.stringContaining(`the call ${access}()`) })
    }
  })

  it('is named by the deadlock of what waits for that call', async () => {
    const asks: Program = function* (process) {
      const [request, requestEnd] = yield* process.pipe2()
      const [answer, answerEnd] = yield* process.pipe2()
      yield* process.fork(function* serves(self) {
        yield* self.read(request, bytes(1))
        yield* self.write(answerEnd, bytes(1))
      })
      process.write(requestEnd, bytes(1))
      yield* process.read(answer, bytes(1))
    }
    const { failure } = await explore(({ kernel }) => void kernel.run(asks))
    expect(failure?.kind).toBe('deadlock')
    const ofTheAsking = / {2}101 .*, and has not run the call write\(\) that it made, perhaps without yield\*$/m
    expect(failure?.error.message).toMatch(ofTheAsking)
    expect(failure?.error.message).not.toMatch(/^ {2}102 .*has not run/m)
  })

  it('fails with what it throws where that has another cause', () => {
    const { crash } = new SimulatedKernel().run(function* (process) {
      process.write(1, text('x'))
      yield* process.close(99)
    })
    expect(crash?.error).toMatchObject({ code: 'EBADF', syscall: 'close' })
  })
})

describe('the calls of a process', () => {
  it('are not for its children: one that makes them ends with an error', () => {
    const kernel = new SimulatedKernel()
    const { stdout } = kernel.run(function* (process) {
      yield* process.fork(function* mixesUp() {
        yield* process.write(1, text('child'))
      })
      yield* process.waitpid(-1)
      yield* process.write(1, text('parent'))
    })
    expect(stdout).toBe('parent')
    expect(kernel.crashes).toMatchObject([{ pid: 102, error: { code: 'ERR_INVALID_PROGRAM' } }])
    expect((kernel.crashes[0]!.error as Error).message).toMatch(/of 102 .* made the call write\(\) of 101 /)
  })

  it('are for all of its threads, and for its handlers', () => {
    const { stdout, crash } = new SimulatedKernel().run(function* (process) {
      yield* process.sigaction('SIGUSR1', function* () {
        yield* process.write(1, text('handler '))
      })
      yield* process.raise('SIGUSR1')
      const thread = yield* process.thread(function* () {
        yield* process.write(1, text('thread'))
      })
      yield* thread.join()
    })
    expect({ stdout, crash }).toEqual({ stdout: 'handler thread', crash: null })
  })
})
