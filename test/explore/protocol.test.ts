/**
 * Our own protocol, launch() itself, under every schedule: nothing ever goes wrong, nobody waits for ever, and nothing is left behind.
 *
 * TRACEGATE_PROOF=long runs what takes many minutes, too.
 */

import { afterAll, describe, expect, it } from 'vitest'
import { type ExploreOptions, explore } from '../../lib/sim/index.ts'
import { callsOfLaunch, dyingLauncher } from './protocol/dying-launcher.ts'
import { casesOf, oneLaunch, type Scenario, twoLaunches, ways } from './protocol/scenarios.ts'

const isLong = process.env.TRACEGATE_PROOF === 'long'
const limitMs = isLong ? 3_600_000 : 240_000

// How many schedules each came to.
const rows: string[] = []
afterAll(() => console.log(`  schedules without a finding\n${rows.join('\n')}`))

function note(schedules: number, what: string): void {
  rows.push(`${schedules.toLocaleString('en').padStart(11)}  ${what}`)
}

/** Runs every schedule within the bounds: how many there are. */
async function prove(scenario: Scenario, options: ExploreOptions): Promise<number> {
  const { failure, complete, schedules } = await explore(scenario, options)
  if (failure !== undefined) throw new Error(`${failure.kind}: ${failure.error.message}\n${failure.timeline}`)
  // A number of samples has no end of its own.
  expect(complete).toBe(options.maxSchedules === undefined)
  return schedules
}

describe.each(ways)('one launch ($name)', { timeout: limitMs }, way => {
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

// The host moves after each change of either child, and every order of these counts.
const wholePairs = ways.filter(({ name }) => isLong || name !== 'traceme, gate')
const pairs = ways.filter(({ options }) => isLong || options.trace === 'seize' || options.beforeExec === undefined)

/** Preemptions and faults at the most. */
const bounds = [
  { preemptions: 0, faults: 1 },
  ...(isLong
    ? [
        { preemptions: 1, faults: 1 },
        { preemptions: 0, faults: 2 },
      ]
    : []),
]

describe('two launches at once', { timeout: limitMs }, () => {
  it.for(wholePairs)('succeed under every schedule ($name)', async (way, { signal }) => {
    const schedules = await prove(twoLaunches(way, way, false), { strategy: 'exhaustive', signal })
    note(schedules, `twice ${way.name}`)
  })

  it.for(pairs)('survive a fault under every schedule within bounds ($name)', async (way, { signal }) => {
    for (const bound of bounds) {
      const schedules = await prove(twoLaunches(way, way, true), { ...bound, signal })
      note(schedules, `twice ${way.name}, ${bound.preemptions} preemptions, ${bound.faults} faults`)
    }
  })

  it.for(pairs)('survive up to two faults, by samples ($name)', async (way, { signal }) => {
    for (const strategy of ['random', 'pct'] as const) {
      const samples = { strategy, faults: 2, maxSchedules: isLong ? 100_000 : 2000, signal }
      note(await prove(twoLaunches(way, way, true), samples), `twice ${way.name}, 2 faults, ${strategy}`)
    }
  })
})
