/** Our own protocol, launch() itself, under every schedule: nothing ever goes wrong, nobody waits for ever, and nothing is left behind. */

import { describe, it } from 'vitest'
import { callsOfLaunch, dyingLauncher } from './protocol/dying-launcher.ts'
import { limit, note, printsCounts, prove } from './protocol/prove.ts'
import { casesOf, oneLaunch, ways } from './protocol/scenarios.ts'

describe.each(ways)('one launch ($name)', limit, way => {
  const cases = casesOf(way)

  it.for(cases)('comes to $name as it should, under every schedule', async (each, { signal }) => {
    const schedules = await prove(oneLaunch(way, each, false), { strategy: 'exhaustive', signal })
    note(schedules, `${way.name}: ${each.name}`)
  })

  it.for(cases)(
    'survives a kill at each step and each errno of each call on its way to $name',
    async (each, { signal }) => {
      const schedules = await prove(oneLaunch(way, each, true), { strategy: 'exhaustive', faults: 1, signal })
      note(schedules, `${way.name}: ${each.name}, one fault`)
    },
  )

  it('leaves no child behind whenever its launcher dies', async ({ signal }) => {
    const calls = await callsOfLaunch(way)
    let all = 0
    for (let count = 1; count <= calls + 1; count++) {
      all += await prove(dyingLauncher(way, count), { strategy: 'exhaustive', signal })
    }
    note(all, `${way.name}: its launcher dies, after each of its calls`)
  })
})
printsCounts()
