/**
 * Runs every schedule of a launch, prints their number, and compares it with the recorded one.
 *
 * TRACEGATE_PROOF=long adds the proofs that take many minutes. TRACEGATE_COUNTS=new prints without comparing.
 */

import { readFileSync } from 'node:fs'
import { afterAll, expect } from 'vitest'
import { exploreWith } from '../../../lib/sim/explore/explore.ts'
import { planOf } from '../../../lib/sim/explore/plan.ts'
import { DepthFirst, type Share } from '../../../lib/sim/explore/strategies/depth-first.ts'
import { type ExploreOptions, type ExploreReport, explore } from '../../../lib/sim/index.ts'
import type { Scenario } from './scenarios.ts'

export const isLong = process.env.TRACEGATE_PROOF === 'long'
/** For a suite whose tests each run up to millions of schedules. */
export const limit = { timeout: isLong ? 3_600_000 : 1_200_000 }

/** The number of schedules of each proof of `npm test` and `npm run test:long`, by its name. */
export const recordedCounts: Readonly<Record<string, number>> = JSON.parse(
  readFileSync(new URL('../counts.json', import.meta.url), 'utf8'),
)

const isCompared = !isLong && process.env.TRACEGATE_COUNTS !== 'new'
const counts: string[] = []

let isPrinting = false

/** Prints the number of schedules of each proof at the end of the file. */
export function printsCounts(): void {
  if (isPrinting) return
  isPrinting = true
  afterAll(() => {
    console.log(`  schedules without a finding\n${counts.splice(0).join('\n')}`)
    // A worker may run several files in one process, and each prints its own.
    isPrinting = false
  })
}

export function note(schedules: number, what: string): void {
  counts.push(`${schedules.toLocaleString('en').padStart(11)}  ${what}`)
  if (isCompared) expect.soft(schedules, `${what}: as in test/explore/counts.json`).toBe(recordedCounts[what])
}

/** Runs every schedule within the bounds and returns their number. */
export async function prove(scenario: Scenario, options: ExploreOptions): Promise<number> {
  const report = await withoutStacks(() => explore(scenario, options))
  // A run limited by maxSchedules need not be complete.
  return schedulesOf(report, options.maxSchedules === undefined)
}

/** Runs a share of the schedules, without preemptions and with at most this many faults. Returns their number. */
export async function proveShare(
  scenario: Scenario,
  faults: number,
  share: Share,
  signal: AbortSignal,
): Promise<number> {
  // One search: rounds of fewer faults first, as explore() has them, would run those schedules again in each round.
  const strategy = new DepthFirst(0, faults, { share, countsFewer: true })
  const report = await withoutStacks(() => exploreWith(scenario, planOf({ faults, signal }), strategy))
  return schedulesOf(report, true)
}

/** Error stacks would take a fifth of the time. The timeline of a finding identifies it. */
export async function withoutStacks<Result>(action: () => Promise<Result>): Promise<Result> {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return await action()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** The number of schedules of an exploration; throws its finding. */
export function schedulesOf({ failure, complete, schedules }: ExploreReport, isComplete: boolean): number {
  if (failure !== undefined) throw new Error(`${failure.kind}: ${failure.error.message}\n${failure.timeline}`)
  expect(complete).toBe(isComplete)
  return schedules
}
