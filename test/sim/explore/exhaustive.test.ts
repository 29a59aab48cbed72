import { describe, expect, it } from 'vitest'
import { exploreWith } from '../../../lib/sim/explore/explore.ts'
import { planOf } from '../../../lib/sim/explore/plan.ts'
import { DepthFirst } from '../../../lib/sim/explore/strategies/depth-first.ts'
import { SleepSets } from '../../../lib/sim/explore/strategies/sleep-sets.ts'
import type { Strategy } from '../../../lib/sim/explore/strategy.ts'
import type { Scenario } from '../../../lib/sim/index.ts'
import { historiesOf } from './histories.ts'
import { looksTwice, type Outcome, programs } from './programs.ts'

/** All outcomes under a strategy, of the runs that it counts. */
async function outcomesOf(scenario: Outcome, strategy: Strategy): Promise<{ outcomes: string[]; schedules: number }> {
  const outcomes = new Set<string>()
  let notes: string[] = []
  const counted: Strategy = {
    next: () => strategy.next(),
    begin: kernel => strategy.begin?.(kernel),
    choose: point => strategy.choose(point),
    end() {
      const counts = strategy.end()
      if (counts) outcomes.add(notes.join(', '))
      return counts
    },
    get difference() {
      return strategy.difference
    },
    get coversAll() {
      return strategy.coversAll
    },
  }
  const run: Scenario = async world => {
    notes = []
    await scenario(world, what => notes.push(what))
  }
  const report = await exploreWith(run, planOf({}), counted, () => undefined)
  expect(report.failure?.error).toBeUndefined()
  expect(report.complete).toBe(true)
  return { outcomes: [...outcomes].sort(), schedules: report.schedules }
}

describe('exhaustive exploration', () => {
  it.each(Object.keys(programs))('of %s comes to every outcome there is, in fewer schedules', async name => {
    const every = await outcomesOf(programs[name]!, new DepthFirst(Number.POSITIVE_INFINITY, 0))
    const reduced = await outcomesOf(programs[name]!, new SleepSets())
    expect(reduced.outcomes).toEqual(every.outcomes)
    expect(every.outcomes.length).toBeGreaterThan(1)
    expect(reduced.schedules).toBeLessThan(every.schedules)
  })

  it('kills one process before time passes, and another after', async () => {
    const seen = new Set<string>()
    await historiesOf(world => looksTwice(world, what => seen.add(what)), new SleepSets(), 2)
    expect([...seen].sort()).toEqual(['0 0', '0 1', '0 2', '1 0', '1 1', '2 0'])
  })
})
