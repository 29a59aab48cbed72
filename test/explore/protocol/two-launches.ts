/** Two launches at once, one way: every schedule to success, and every schedule with up to two faults. A file a way: they run side by side. */

import { describe, it } from 'vitest'
import { isLong, limit, note, printsCounts, prove } from './prove.ts'
import { twoLaunches, waysNamed } from './scenarios.ts'

const faults = 2

export function twoLaunchesSurvive(...names: readonly string[]): void {
  describe.each(waysNamed(names))('two launches at once ($name)', limit, way => {
    const { name } = way

    it('succeed under every schedule', async ({ signal }) => {
      note(await prove(twoLaunches(way, way, false), { strategy: 'exhaustive', signal }), `twice ${name}`)
    })

    // Close to two million schedules.
    if (isLong || name !== 'untraced, gate') {
      it('survive any two faults under every schedule without preemptions', async ({ signal }) => {
        const bounds = { preemptions: 0, faults, signal }
        note(await prove(twoLaunches(way, way, true), bounds), `twice ${name}, two faults`)
      })
    }

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
