/** Threads and children that are followed, from the exec event on: under every schedule, and with a fault. */

import { describe, it } from 'vitest'
import { type FollowCase, following, type Tracing } from './following.ts'
import { exploreFromExec } from './from-exec.ts'
import { limit, note, printsCounts, schedulesOf, withoutStacks } from './prove.ts'

/** Every schedule without preemptions, with and without any one fault: the program is killed at each of its steps. */
export function followingSurvivesFaults(trace: Tracing, cases: readonly FollowCase[]): void {
  describe(`what is followed (${trace})`, limit, () => {
    it.for(cases)('survives a kill at each step and each errno of each call: $name', async (each, { signal }) => {
      const bounds = { preemptions: 0, faults: 1, signal }
      const report = await withoutStacks(() => exploreFromExec(following(trace, each, 1), bounds))
      note(schedulesOf(report, true), `${trace}: ${each.name}, one fault, no preemption`)
    })
  })
  printsCounts()
}

/** Every schedule there is. */
export function followingHolds(trace: Tracing, cases: readonly FollowCase[]): void {
  describe(`what is followed (${trace})`, limit, () => {
    it.for(cases)('is seen under every schedule: $name', async (each, { signal }) => {
      const report = await withoutStacks(() => exploreFromExec(following(trace, each), { signal }))
      note(schedulesOf(report, true), `${trace}: ${each.name}`)
    })
  })
  printsCounts()
}

/** Every schedule with so many preemptions, of cases that have too many without a bound. */
export function followingHoldsWithin(trace: Tracing, cases: readonly FollowCase[], preemptions: number): void {
  describe(`what is followed (${trace})`, limit, () => {
    it.for(cases)(`is seen under every schedule with ${preemptions} preemptions: $name`, async (each, { signal }) => {
      const report = await withoutStacks(() => exploreFromExec(following(trace, each), { preemptions, signal }))
      note(schedulesOf(report, true), `${trace}: ${each.name}, ${preemptions} preemptions`)
    })
  })
  printsCounts()
}
