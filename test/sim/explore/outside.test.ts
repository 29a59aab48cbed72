import { afterEach, describe, expect, it } from 'vitest'
import { explore, replay, type Scenario } from '../../../lib/sim/index.ts'

const timers = new Set<ReturnType<typeof setTimeout>>()
const afterLong = (done: () => void = () => {}) => timers.add(setTimeout(done, 100_000))

afterEach(() => {
  for (const timer of timers) clearTimeout(timer)
  timers.clear()
})

/** Awaits the readiness of a pipe that nothing is written to. */
const deadlocked: Scenario = async ({ system }) => {
  const [read] = system.pipe2()
  await system.ready(read, 1)
}

describe('a deadlock', () => {
  it('is one whatever timer other code starts while the exploration runs', async () => {
    const exploring = explore(deadlocked)
    afterLong()
    const { failure } = await exploring
    expect(failure?.kind).toBe('deadlock')
    const replaying = replay(deadlocked, failure!.schedule)
    afterLong()
    expect((await replaying).failure?.kind).toBe('deadlock')
  })

  it('is one although other code starts a timer in the middle of a run', async () => {
    let runs = 0
    const { failure } = await explore(async world => {
      // Stands for other code: only the first run has it.
      if (runs++ === 0) afterLong()
      await deadlocked(world)
    })
    expect(runs).toBeGreaterThan(1)
    expect(failure?.kind).toBe('deadlock')
    expect(failure?.error.message).toContain('deadlock: no task can continue')
    expect(failure?.timeline.events.at(-1)?.mark?.kind).toBe('deadlock')
  })
})

describe('a wait for a timer of Node', () => {
  it.each<[string, Scenario]>([
    ['at once', () => new Promise(resolve => void afterLong(resolve))],
    [
      'after a call',
      async ({ system }) => {
        await system.sleep(5)
        await new Promise<void>(resolve => void afterLong(resolve))
      },
    ],
  ])('is nondeterminism each time, and says that nothing in the system can go on: %s', async (_, scenario) => {
    const { failure } = await explore(scenario)
    expect(failure?.kind).toBe('nondeterminism')
    expect(failure?.error.message).toContain(
      'nothing in the simulated system can go on, and the scenario waits for something outside it (Timeout)',
    )
  })
})
