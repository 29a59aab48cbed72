/**
 * One launch in one way: to success and to each failure, under every schedule, and again with any one fault. One
 * file per way, so that they run in parallel.
 */

import { describe, it } from 'vitest'
import { callsOfLaunch, dyingLauncher } from './dying-launcher.ts'
import { limit, note, printsCounts, prove } from './prove.ts'
import { type Case, casesOf, oneLaunch, type Way, waysNamed } from './scenarios.ts'

/** A deadline, and an abort at a gate, may be seen at any moment: with a fault that makes thousands of schedules. */
function isSlow(way: Way, { name }: Case): boolean {
  return name === 'timeout' || (name === 'abort' && way.options.beforeExec !== undefined)
}

function survivesFaults(way: Way, cases: readonly Case[]): void {
  it.for(cases)(
    'survives a kill at each step and each errno of each call on its way to $name',
    async (each, { signal }) => {
      const schedules = await prove(oneLaunch(way, each, true), { strategy: 'exhaustive', faults: 1, signal })
      note(schedules, `${way.name}: ${each.name}, one fault`)
    },
  )
}

/** Tests that take seconds. */
export function oneLaunchSurvives(name: string): void {
  describe.each(waysNamed([name]))('one launch ($name)', limit, way => {
    const cases = casesOf(way)

    it.for(cases)('comes to $name as it should, under every schedule', async (each, { signal }) => {
      const schedules = await prove(oneLaunch(way, each, false), { strategy: 'exhaustive', signal })
      note(schedules, `${way.name}: ${each.name}`)
    })

    survivesFaults(
      way,
      cases.filter(each => !isSlow(way, each)),
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
}

/** Tests that take longer. */
export function timedLaunchSurvivesFaults(name: string): void {
  describe.each(waysNamed([name]))('one launch that may be called off ($name)', limit, way => {
    survivesFaults(
      way,
      casesOf(way).filter(each => isSlow(way, each)),
    )
  })
  printsCounts()
}
