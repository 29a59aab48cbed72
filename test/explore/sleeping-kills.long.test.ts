/** What the proofs of launches with faults leave out: no history of any task, and no finding. */

import { describe, expect, it } from 'vitest'
import { DepthFirst } from '../../lib/sim/explore/strategies/depth-first.ts'
import type { Scenario } from '../../lib/sim/index.ts'
import { historiesOf } from '../sim/explore/histories.ts'
import { limit, withoutStacks } from './protocol/prove.ts'
import { casesOf, oneLaunch, twoLaunches, ways, waysNamed } from './protocol/scenarios.ts'

async function comesToTheSame(scenario: Scenario, faults: number): Promise<void> {
  await withoutStacks(async () => {
    const search = (repeatsKills: boolean) => new DepthFirst(0, faults, { countsFewer: true, repeatsKills })
    const every = await historiesOf(scenario, search(true), faults)
    const fewer = await historiesOf(scenario, search(false), faults)
    expect(fewer.histories).toEqual(every.histories)
    expect(fewer.schedules).toBeLessThanOrEqual(every.schedules)
  })
}

describe('kills that repeat a schedule make no difference', limit, () => {
  const cases = ways.flatMap(way => casesOf(way).map(each => ({ name: `${way.name}: ${each.name}`, way, each })))

  it.each(cases)('to a launch with two faults ($name)', ({ way, each }) =>
    comesToTheSame(oneLaunch(way, each, true), 2),
  )

  it.each(['traceme', 'untraced'])('to two launches with a fault (%s)', name => {
    const [way] = waysNamed([name])
    return comesToTheSame(twoLaunches(way!, way!, true), 1)
  })
})
