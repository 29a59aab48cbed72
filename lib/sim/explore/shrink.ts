/** Simplifies a failing schedule: fewer faults, preemptions and switches, with the same kind of failure. */

import { checksOf } from './checks.ts'
import { Oracle } from './oracle.ts'
import type { Runner } from './runner.ts'
import type { Schedule } from './schedule.ts'
import { Bounded } from './strategies/bounded.ts'
import { Fixed } from './strategies/fixed.ts'
import type { Strategy } from './strategy.ts'
import type { FailureKind } from './types.ts'

/** Bounds on the runs and the time spent on shrinking. */
const mostRuns = 1000
const mostMs = 2000

interface Candidate {
  readonly schedule: Schedule
  /** Faults, preemptions, switches and deviations; an earlier entry outweighs all later ones. */
  readonly cost: readonly number[]
}

export async function shrink(
  runner: Runner,
  kind: FailureKind,
  found: Schedule,
  signal: AbortSignal | undefined,
): Promise<Schedule> {
  const end = performance.now() + mostMs
  let runs = 0
  const attempt = async (strategy: Strategy): Promise<Candidate | null> => {
    const oracle = new Oracle(strategy)
    const finding = await runner.run(oracle, checksOf, false)
    signal?.throwIfAborted()
    runs++
    if (finding?.kind !== kind) return null
    const schedule = oracle.schedule(found)
    return { schedule, cost: [oracle.faults, oracle.preemptions, oracle.switches, schedule.deviations.length] }
  }
  const mayGoOn = () => runs < mostRuns && performance.now() < end

  let best = await attempt(begun(new Fixed(found)))
  // A schedule that does not fail again is reported unchanged.
  if (best === null) return found
  const [faults, preemptions] = best.cost as [number, number]
  if (preemptions > 0) {
    // Searches for a failure with fewer preemptions.
    const search = new Bounded(preemptions - 1, faults)
    while (mayGoOn() && runs < mostRuns / 2 && search.next()) {
      const candidate = await attempt(search)
      if (candidate === null || !isLess(candidate.cost, best.cost)) continue
      best = candidate
      break
    }
  }
  for (let i = best.schedule.deviations.length - 1; i >= 0 && mayGoOn(); i--) {
    const deviations = best.schedule.deviations.filter((_, index) => index !== i)
    const candidate = await attempt(begun(new Fixed({ ...best.schedule, deviations }, false)))
    if (candidate === null || !isLess(candidate.cost, best.cost)) continue
    best = candidate
    i = Math.min(i, best.schedule.deviations.length)
  }
  return best.schedule
}

function begun(strategy: Strategy): Strategy {
  strategy.next()
  return strategy
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  for (const [index, value] of a.entries()) if (value !== b[index]) return value < b[index]!
  return false
}
