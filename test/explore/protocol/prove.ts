/**
 * Runs every schedule of a launch, and prints how many there were.
 *
 * TRACEGATE_PROOF=long takes along what takes many minutes.
 */

import { afterAll, expect } from 'vitest'
import { type ExploreOptions, explore } from '../../../lib/sim/index.ts'
import type { Scenario } from './scenarios.ts'

export const isLong = process.env.TRACEGATE_PROOF === 'long'
/** For a suite: each of its tests runs up to millions of schedules. */
export const limit = { timeout: isLong ? 3_600_000 : 1_200_000 }

const counts: string[] = []

/** Prints, at the end of the file, how many schedules each proof came to. */
export function printsCounts(): void {
  afterAll(() => console.log(`  schedules without a finding\n${counts.join('\n')}`))
}

export function note(schedules: number, what: string): void {
  counts.push(`${schedules.toLocaleString('en').padStart(11)}  ${what}`)
}

/** Runs every schedule within the bounds: how many there are. */
export async function prove(scenario: Scenario, options: ExploreOptions): Promise<number> {
  const { failure, complete, schedules } = await explore(scenario, options)
  if (failure !== undefined) throw new Error(`${failure.kind}: ${failure.error.message}\n${failure.timeline}`)
  // A number of samples has no end of its own.
  expect(complete).toBe(options.maxSchedules === undefined)
  return schedules
}
