import { describe, expect, it } from 'vitest'
import {
  type Calling,
  explore,
  type Program,
  ProgramError,
  SimulatedKernel,
  type SimulatedProcess,
} from '../../../lib/sim/index.ts'
import { exec, program, text } from '../world.ts'

/** Of a kind that does not compile. */
const wrong = (code: unknown) => code as Program
type Untyped = Record<string, (...args: unknown[]) => Calling<unknown>>
const untyped = (process: SimulatedProcess) => process as unknown as Untyped

/** The error that ended a program. */
function crashOf(code: Program): Error {
  const { status, crash } = new SimulatedKernel().run(code)
  expect(status).toMatchObject({ kind: 'signaled', signal: 'SIGABRT' })
  return crash!.error as Error
}

const wrongPrograms: [what: string, code: Program, message: string][] = [
  [
    'that forgets the star of a yield*',
    wrong(function* (process: SimulatedProcess) {
      yield process.write(1, text('x'))
    }),
    'yielded a generator, perhaps of a call without the star',
  ],
  [
    'that yields a promise',
    wrong(function* () {
      yield Promise.resolve()
    }),
    'yielded a promise',
  ],
  [
    'that yields nothing',
    wrong(function* () {
      yield
    }),
    'yielded nothing',
  ],
  [
    'that yields a value',
    wrong(function* () {
      for (;;) yield 1
    }),
    'yielded a value of type number',
  ],
  [
    'that forgets a yield*',
    wrong(function* (process: SimulatedProcess) {
      yield* process.schedYield()
      process.write(1, text('x'))
    }),
    'made the call write() without yield*',
  ],
  [
    'that forgets a yield* before it exits',
    wrong(function* (process: SimulatedProcess) {
      process.sigaction('SIGINT', 'ignore')
      yield* process.exit(0)
    }),
    'made the call sigaction() without yield*',
  ],
  [
    'that forgets the yield* of a join',
    wrong(function* (process: SimulatedProcess) {
      const thread = yield* process.thread(function* () {})
      thread.join()
    }),
    'made the call join() without yield*',
  ],
  [
    'that forgets the yield* of a method with another name than its system call',
    wrong(function* (process: SimulatedProcess) {
      yield* process.schedYield()
      process.raise('SIGTERM')
    }),
    'made the call raise() without yield*',
  ],
  [
    'that returns a text',
    wrong(function* (process: SimulatedProcess) {
      yield* process.schedYield()
      return '0'
    }),
    'returned a value of type string',
  ],
  [
    'that returns a fraction',
    wrong(function* (process: SimulatedProcess) {
      yield* process.schedYield()
      return 1.5
    }),
    'returned 1.5',
  ],
  ['that is an async function', wrong(async () => 0), 'is asynchronous: write it as function*'],
  [
    'that is an async generator',
    wrong(async function* main() {
      yield 1
    }),
    "the program 'main' is asynchronous",
  ],
  ['that is a plain function', wrong(() => 0), 'returned no generator: write it as function*'],
]

describe('a simulated program', () => {
  it('may make its calls before it begins them, in any order', () => {
    const { status, stdout } = new SimulatedKernel().run(function* (process) {
      const [first, second] = [process.write(1, text('1')), process.write(1, text('2'))]
      const pid = process.raise(0)
      yield* second
      yield* pid
      yield* first
    })
    expect([status, stdout]).toEqual([{ kind: 'exited', code: 0, signal: null }, '21'])
  })

  it.each(wrongPrograms)('%s ends with an error that says so', (_what, code, message) => {
    const error = crashOf(code)
    expect(error).toBeInstanceOf(ProgramError)
    expect(error).toMatchObject({ code: 'ERR_INVALID_PROGRAM' })
    expect(error.message).toContain(message)
  })

  it.each(wrongPrograms)(
    '%s is an error of an exploration, even where the scenario waits for it in vain',
    async (_what, code, message) => {
      const { failure } = await explore(({ kernel, system }) => {
        kernel.install('/wrong', code)
        const [read] = system.pipe2()
        system.fork(program(exec('/wrong')))
        system.read(read, new Uint8Array(1))
      })
      expect(failure?.kind).toBe('error')
      expect(failure?.error.message).toContain(message)
    },
  )

  it('accesses cells of its own world only', () => {
    const foreign = new SimulatedKernel().cell(0, 'counter')
    const error = crashOf(function* (process) {
      yield* process.store(foreign, 1)
    })
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE', message: expect.stringContaining("'counter'") })
    expect(foreign.value).toBe(0)
  })

  it('may be a plain function that makes a generator', () => {
    const wrapped = new SimulatedKernel().run(process => process.exit(3))
    expect(wrapped).toMatchObject({ status: { code: 3 }, crash: null })
  })

  it('that fails before its generator is made fails as one that fails after', () => {
    const error = crashOf(() => {
      throw new Error('early')
    })
    expect(error.message).toBe('early')
  })

  it('whose thread or child is written wrong ends with it', () => {
    const error = crashOf(function* (process) {
      yield* process.thread(wrong(async () => 0))
      yield* process.pause()
    })
    expect(error).toMatchObject({ code: 'ERR_INVALID_PROGRAM' })
    const { status } = new SimulatedKernel().run(function* (process) {
      const pid = yield* process.fork(wrong(() => 0))
      return (yield* process.waitpid(pid))?.status.kind === 'signaled' ? 7 : 1
    })
    expect(status.code).toBe(7)
  })

  it.each([async () => 0, () => 0, async function* () {}])(
    'whose thread is written wrong ends at the call: %s',
    code => {
      const error = crashOf(function* (process) {
        try {
          yield* process.thread(wrong(code))
        } catch (error) {
          yield* process.sleep(1)
          throw error
        }
        yield* process.exit(0)
      })
      expect(error).toMatchObject({ code: 'ERR_INVALID_PROGRAM' })
    },
  )

  it('whose handler is no generator function ends when the signal comes, and not the wait of its parent', () => {
    const error = crashOf(function* (process) {
      yield* process.sigaction('SIGUSR1', wrong(() => {}) as never)
      yield* process.raise('SIGUSR1')
    })
    expect(error).toMatchObject({ code: 'ERR_INVALID_PROGRAM', message: expect.stringContaining('the handler') })
  })

  const calls: [call: string, code: string, args: unknown[]][] = [
    ['sleep', 'ERR_OUT_OF_RANGE', [Number.NaN]],
    ['sleep', 'ERR_OUT_OF_RANGE', [-1]],
    ['sleep', 'ERR_OUT_OF_RANGE', [Number.POSITIVE_INFINITY]],
    ['sleep', 'ERR_INVALID_ARG_TYPE', ['1']],
    ['exit', 'ERR_INVALID_ARG_TYPE', ['1']],
    ['open', 'ERR_INVALID_ARG_TYPE', [1, 0]],
    ['open', 'ERR_INVALID_ARG_TYPE', ['/dev/null']],
    ['chdir', 'ERR_INVALID_ARG_TYPE', [null]],
    ['execve', 'ERR_INVALID_ARG_TYPE', ['/bin/true', 'true']],
    ['execve', 'ERR_INVALID_ARG_VALUE', ['/bin/true', ['a\0b']]],
    ['setpgid', 'ERR_INVALID_ARG_TYPE', ['0', 0]],
    ['setLimit', 'ERR_INVALID_ARG_VALUE', ['nofiles', 3]],
    ['setLimit', 'ERR_OUT_OF_RANGE', ['nofile', Number.NaN]],
    ['setLimit', 'ERR_OUT_OF_RANGE', ['nofile', 1.5]],
    ['setLimit', 'ERR_OUT_OF_RANGE', ['core', -1]],
    ['sigaction', 'ERR_INVALID_PROGRAM', ['SIGINT', async () => {}]],
    ['sigaction', 'ERR_INVALID_PROGRAM', ['SIGINT', { handler: async function* () {} }]],
    ['raise', 'ERR_UNKNOWN_SIGNAL', ['SIGNOTHING']],
    ['setParentDeathSignal', 'ERR_UNKNOWN_SIGNAL', ['KILL']],
    ['sigprocmask', 'ERR_INVALID_ARG_VALUE', ['blok', ['SIGINT']]],
    ['sigprocmask', 'ERR_INVALID_ARG_TYPE', ['block', 'SIGINT']],
    ['sigaction', 'ERR_INVALID_ARG_VALUE', ['SIGINT', 3]],
    ['sigaction', 'ERR_INVALID_ARG_VALUE', ['SIGINT', undefined]],
    ['sigaction', 'ERR_INVALID_ARG_VALUE', ['SIGINT', 'ignored']],
    ['sigaction', 'ERR_INVALID_ARG_VALUE', ['SIGINT', 'ignore', { restarts: true }]],
    ['sigaction', 'ERR_INVALID_ARG_VALUE', ['SIGINT', 'ignore', { restart: 1 }]],
    ['sigaction', 'ERR_INVALID_ARG_TYPE', ['SIGINT', 'ignore', { mask: 'SIGTERM' }]],
    ['thread', 'ERR_INVALID_ARG_TYPE', [1]],
    ['fork', 'ERR_INVALID_ARG_TYPE', [1]],
    ['load', 'ERR_INVALID_ARG_TYPE', [{}]],
    ['store', 'ERR_INVALID_ARG_TYPE', [undefined, 1]],
    ['write', 'ERR_INVALID_ARG_TYPE', [1, 'text']],
    ['kill', 'ERR_INVALID_ARG_TYPE', ['1', 0]],
  ]
  it.each(calls)('that calls %s with a wrong argument ends with %s: %j', (call, code, args) => {
    const error = crashOf(function* (process) {
      yield* untyped(process)[call]!(...args)
    })
    expect(error).toMatchObject({ code })
  })
})

describe('the types of a simulated program', () => {
  it('let it yield its calls only', () => {
    // Never run: that these lines compile, and fail to, is the test.
    const compiles = (): Program[] => [
      function* (process) {
        yield* process.write(1, text('x'))
        const thread = yield* process.thread(function* (self) {
          yield* self.sleep(1)
          return 'done'
        })
        const result: string = yield* thread.join()
        return result.length
      },
      // @ts-expect-error: the star is missing
      function* (process) {
        yield process.write(1, text('x'))
      },
      // @ts-expect-error: nothing in the simulated system waits for a promise
      function* () {
        yield Promise.resolve()
      },
      // @ts-expect-error: no call
      function* () {
        yield
      },
      // @ts-expect-error: no generator
      async () => 0,
      // @ts-expect-error: no generator of calls
      async function* (process: SimulatedProcess) {
        yield* process.write(1, text('x'))
      },
      function* (process) {
        // @ts-expect-error: the star is missing
        yield* process.thread(function* (self) {
          yield self.write(1, text('x'))
        })
        // @ts-expect-error: no such change of a mask
        yield* process.sigprocmask('blok', [])
        // @ts-expect-error: no such limit
        yield* process.setLimit('nofiles', 1)
        // @ts-expect-error: no generator
        yield* process.sigaction('SIGINT', () => {})
      },
    ]
    expect(compiles).toBeTypeOf('function')
  })
})
