/** Our own protocol, launch() itself, under every schedule: nothing ever goes wrong, nobody is left waiting, and nothing is left behind. */

import { afterAll, describe, expect, it } from 'vitest'
import { type ExploreOptions, type ExploreReport, explore } from '../../lib/sim/index.ts'
import { callsOfLaunch, dyingLauncher } from './protocol/dying-launcher.ts'
import { casesOf, oneLaunch, type Scenario, twoLaunches, ways } from './protocol/scenarios.ts'

/** TRACEGATE_PROOF=long: what takes minutes. */
const isLong = process.env.TRACEGATE_PROOF === 'long'

const rows: string[] = []
afterAll(() => console.log(`schedules, all of them run, without a finding:\n${rows.join('\n')}`))

/** Runs every schedule there is; each counts. */
async function prove(scenario: Scenario, options: ExploreOptions): Promise<ExploreReport> {
  const report = await explore(scenario, options)
  const { failure } = report
  if (failure !== undefined) throw new Error(`${failure.kind}: ${failure.error.message}\nreplay: ${failure.schedule}`)
  expect(report.complete).toBe(true)
  return report
}

function note(name: string, schedules: number): void {
  rows.push(`${String(schedules.toLocaleString('en')).padStart(12)}  ${name}`)
}

describe.each(ways)('one launch ($name)', way => {
  it.each(casesOf(way))('comes to $name as it should, under every schedule', async each => {
    const { schedules } = await prove(oneLaunch(way, each, false), { strategy: 'exhaustive' })
    note(`${way.name}: ${each.name}`, schedules)
  })

  it('survives a kill at each step and each errno of each call', async () => {
    let all = 0
    for (const each of casesOf(way)) {
      const { schedules } = await prove(oneLaunch(way, each, true), { strategy: 'exhaustive', faults: 1 })
      all += schedules
    }
    note(`${way.name}: all of these, with a fault`, all)
  })

  it('leaves no child behind whenever its launcher dies', async () => {
    const calls = await callsOfLaunch(way)
    let all = 0
    for (let count = 1; count <= calls + 1; count++) {
      all += (await prove(dyingLauncher(way, count), { strategy: 'exhaustive' })).schedules
    }
    note(`${way.name}: its launcher dies`, all)
  })
})

describe.each(ways)('two launches at once ($name)', way => {
  it.runIf(isLong)('succeed under every schedule', async () => {
    const { schedules } = await prove(twoLaunches(way, way, false), { strategy: 'exhaustive' })
    note(`${way.name}, twice at once`, schedules)
  })

  it('survive a fault', async () => {
    const options = { strategy: 'bounded', preemptions: isLong ? 2 : 1, faults: 1 } as const
    const { schedules } = await prove(twoLaunches(way, way, true), options)
    note(`${way.name}, twice at once, with a fault`, schedules)
  })
})
