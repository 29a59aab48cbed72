import { describe, expect, it } from 'vitest'
import { explore, replay } from '../../../lib/sim/index.ts'
import { exec } from '../world.ts'

const failureOf = async (thrown: unknown) =>
  (
    await explore(() => {
      throw thrown
    })
  ).failure!

describe('the message of a failure ends with how to replay it', () => {
  const hint = /\nreplay it with replay\(scenario, '1:0\+0'\)$/

  class OfGetter extends Error {
    override get message(): string {
      return 'from a getter'
    }
  }

  it.each<[string, Error]>([
    ['an error', new Error('plain')],
    ['an error without a message', new Error('')],
    ['a DOMException', new DOMException('aborted', 'AbortError')],
    ['an error whose message has a getter only', new OfGetter()],
  ])('of %s', async (_, error) => {
    const before = error.message
    const failure = await failureOf(error)
    expect(failure.error).toBe(error)
    expect(error.message).toMatch(hint)
    expect(error.message.startsWith(before)).toBe(true)
  })

  it('once, if the same error is thrown in every run', async () => {
    const error = new Error('shared')
    await failureOf(error)
    await failureOf(error)
    expect(error.message).toBe("shared\nreplay it with replay(scenario, '1:0+0')")
    expect(error.stack!.split('replay it with')).toHaveLength(2)
  })

  it('but of a frozen error, which is reported as it is', async () => {
    const error = Object.freeze(new Error('frozen'))
    expect((await failureOf(error)).error).toBe(error)
    expect(error.message).toBe('frozen')
  })
})

describe('what cannot be read as an error', () => {
  const refuse = () => {
    throw new Error('the trap throws')
  }
  const traps = new Proxy(new Error('hidden'), { get: refuse, getPrototypeOf: refuse })
  const unreadable = Object.defineProperty(new Error('hidden'), 'message', { get: refuse })
  const odd = Object.defineProperty(new Error('hidden'), 'message', { value: 7 })

  it.each<[string, unknown]>([
    ['a Proxy', traps],
    ['an error whose message throws', unreadable],
    ['an error whose message is a number', odd],
    ['an object without a prototype', Object.create(null)],
    ['nothing', undefined],
  ])('is the cause of the error that is reported: %s', async (_, thrown) => {
    const thrownByScenario = await failureOf(thrown)
    expect(thrownByScenario.kind).toBe('error')
    expect(thrownByScenario.error.message).toMatch(/^the scenario threw /)
    expect(thrownByScenario.error.cause === thrown).toBe(true)

    const { failure } = await explore(({ kernel, system }) => {
      // biome-ignore lint/correctness/useYield: it throws at once
      kernel.install('/bin/p', function* () {
        throw thrown
      })
      system.waitpid(system.fork({ actions: [exec('/bin/p')] }))
    })
    expect(failure?.kind).toBe('error')
    expect(failure?.error.message).toMatch(/^the program of process 101 threw /)
    expect(failure?.timeline.events.filter(({ mark }) => mark !== undefined)).toMatchObject([
      { column: 1, kind: 'exit', mark: { kind: 'error' } },
    ])
  })

  it('is reported from a stray rejection as well', async () => {
    const { failure } = await explore(async () => {
      void Promise.reject(traps)
    })
    expect(failure?.error.message).toMatch(/^the scenario threw /)
  })
})

describe('a schedule that is not of the scenario', () => {
  const twoChildren = ({ system }: Parameters<Parameters<typeof explore>[0]>[0]) => {
    const pids = [1, 2].map(() => system.fork({ actions: [exec('/bin/true')] }))
    for (const pid of pids) system.waitpid(pid)
    throw new Error('found all the same')
  }

  it.each([
    ['cut off', '1:0+1', /the schedule has 1 choice, and this run made \d+ \(/],
    ['too long', '1:0+900', /the schedule has 900 choices, and this run made \d+ \(/],
    ['of other choices', '1:0+900,0w1/7', /choice 0 is between 7 options of kind 'wake' in the schedule, and between/],
    ['of a longer run', '1:0+900,800s1/2', /choice 800 .* in the schedule, and this run ended before it \(/],
  ])('is said to be none, without a hint to replay it: %s', async (_, schedule, difference) => {
    const { failure } = await replay(twoChildren, schedule)
    expect(failure).toMatchObject({ kind: 'nondeterminism', schedule, error: { code: 'ERR_NONDETERMINISM' } })
    const { message, cause } = failure!.error
    expect(message).toMatch(/^the schedule is not one of this scenario: /)
    expect(message).toMatch(difference)
    expect(message).not.toMatch(/replay it with/)
    expect((cause as Error).message).toMatch(/^found all the same/)
  })
})
