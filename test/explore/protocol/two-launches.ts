/**
 * Two launches at once in one way: every schedule to success, with one fault, and with two.
 *
 * One file per way, or per share of a way, so that they run in parallel.
 */

import { describe, it } from 'vitest'
import { isLong, limit, note, printsCounts, prove, proveShare } from './prove.ts'
import { twoLaunches, waysNamed } from './scenarios.ts'

const faults = 2

/** Every schedule to success: of traced launches, whose searches see both children, tens of thousands. */
export function twoLaunchesSucceed(name: string): void {
  describe.each(waysNamed([name]))('two launches at once ($name)', limit, way => {
    it('succeed under every schedule', async ({ signal }) => {
      note(await prove(twoLaunches(way, way, false), { strategy: 'exhaustive', signal }), `twice ${name}`)
    })
  })
  printsCounts()
}

/** Tests that take less than a minute. */
export function twoLaunchesSurvive(name: string): void {
  describe.each(waysNamed([name]))('two launches at once ($name)', limit, way => {
    it('survive any fault under every schedule without preemptions', async ({ signal }) => {
      const bounds = { preemptions: 0, faults: 1, signal }
      note(await prove(twoLaunches(way, way, true), bounds), `twice ${name}, a fault`)
    })

    if (isLong) {
      it('survive a fault under every schedule with a preemption', async ({ signal }) => {
        const bounds = { preemptions: 1, faults: 1, signal }
        note(await prove(twoLaunches(way, way, true), bounds), `twice ${name}, a preemption, a fault`)
      })
    }

    it.each(['random', 'pct'] as const)('survive two faults and preemptions, sampled (%s)', async strategy => {
      const samples = { strategy, faults, maxSchedules: isLong ? 100_000 : 2000 }
      note(await prove(twoLaunches(way, way, true), samples), `twice ${name}, two faults, ${strategy}`)
    })
  })
  printsCounts()
}

/** Share `number`, counted from 1, of the tests that take minutes. */
export function twoLaunchesSurviveTwoFaults(name: string, number = 1, of = 1): void {
  const [way] = waysNamed([name])
  const share = of === 1 ? '' : `, share ${number} of ${of}`
  describe(`two launches at once (${name}${share})`, limit, () => {
    it('survive any two faults under every schedule without preemptions', async ({ signal }) => {
      const scenario = twoLaunches(way!, way!, true)
      const schedules = await proveShare(scenario, faults, { index: number - 1, of }, signal)
      note(schedules, `twice ${name}, two faults${share}`)
    })
  })
  printsCounts()
}
