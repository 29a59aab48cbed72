import { describe, expect, it } from 'vitest'
import { Bounded } from '../../../lib/sim/explore/strategies/bounded.ts'
import { DepthFirst } from '../../../lib/sim/explore/strategies/depth-first.ts'
import { SleepSets } from '../../../lib/sim/explore/strategies/sleep-sets.ts'
import { countSchedules } from './synthetic.ts'

const every = () => new DepthFirst(Number.POSITIVE_INFINITY, 0)

/** Three tasks with the given numbers of moves, over four objects. */
function threeTasks(moves: number): number[][] {
  return [0, 1, 2].map(task => Array.from({ length: moves }, (_, move) => 1 + ((move * (task + 1) + task) % 4)))
}

describe('bounded', () => {
  it.each([
    [8, 0, 6],
    [8, 1, 132],
    [8, 2, 2022],
    [8, 3, 21_132],
    [6, 0, 6],
    [6, 1, 96],
    [6, 2, 1056],
    [6, 3, 7806],
  ])('of three tasks of %i moves with up to %i preemptions there are %i schedules', (moves, preemptions, schedules) => {
    const counts = countSchedules(new Bounded(preemptions, 0), threeTasks(moves), false)
    expect(counts.schedules).toBe(schedules)
  })

  it('by more than can happen, every interleaving is run, and that is all', () => {
    const counts = countSchedules(new Bounded(2 ** 31 - 1, 2 ** 31 - 1), threeTasks(3), false)
    expect(counts.schedules).toBe(1680)
  })
})

describe('without bounds', () => {
  it('every interleaving is run: of three tasks of three moves 9! / (3! 3! 3!)', () => {
    expect(countSchedules(every(), threeTasks(3)).schedules).toBe(1680)
  })
})

describe('sleep sets', () => {
  it('run one schedule if all moves are independent', () => {
    const { schedules } = countSchedules(new SleepSets(), [
      [1, 1, 1],
      [2, 2, 2],
      [3, 3, 3],
    ])
    expect(schedules).toBe(1)
  })

  it('run every schedule if all moves depend on each other', () => {
    const { schedules, redundant } = countSchedules(new SleepSets(), [
      [1, 1],
      [1, 1],
      [1, 1],
    ])
    expect([schedules, redundant]).toEqual([90, 0])
  })

  it.each([
    { tasks: threeTasks(2) },
    { tasks: threeTasks(3) },
    {
      tasks: [
        [1, 2, 1],
        [2, 1],
        [3, 1, 3],
      ],
    },
    {
      tasks: [
        [1, 2],
        [2, 3],
        [3, 4],
        [4, 1],
      ],
    },
  ])('run each trace of $tasks once, and miss none', ({ tasks }) => {
    const all = countSchedules(every(), tasks)
    const reduced = countSchedules(new SleepSets(), tasks)
    expect(reduced.traces).toEqual(all.traces)
    expect(reduced.schedules).toBe(all.traces.size)
  })
})
