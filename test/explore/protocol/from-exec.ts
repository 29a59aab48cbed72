/** Explores what comes after a launch: until its exec event the launch goes one way, as it is proved by itself. */

import { exploreWith } from '../../../lib/sim/explore/explore.ts'
import { planOf } from '../../../lib/sim/explore/plan.ts'
import { Bounded } from '../../../lib/sim/explore/strategies/bounded.ts'
import { SleepSets } from '../../../lib/sim/explore/strategies/sleep-sets.ts'
import type { ChoicePoint, Strategy } from '../../../lib/sim/explore/strategy.ts'
import type { ExploreReport } from '../../../lib/sim/index.ts'
import type { World } from '../broken-launchers/kit.ts'

/** Runs under every schedule from the call of `launched` on. */
export type AfterLaunch = (world: World, launched: () => void) => Promise<void>

type Kernel = Parameters<NonNullable<Strategy['begin']>>[0]

/** A strategy that makes no choice before the launch is over. */
class FromExec implements Strategy {
  isLaunched = false
  readonly #strategy: Strategy

  constructor(strategy: Strategy) {
    this.#strategy = strategy
  }

  begin(kernel: Kernel): void {
    this.isLaunched = false
    this.#strategy.begin?.(kernel)
  }

  choose(point: ChoicePoint): number {
    return this.isLaunched ? this.#strategy.choose(point) : point.fallback
  }

  next(): boolean {
    return this.#strategy.next()
  }

  end(): boolean {
    return this.#strategy.end()
  }

  coversAll(forced: boolean): boolean {
    return this.#strategy.coversAll(forced)
  }

  get difference(): string | null {
    return this.#strategy.difference
  }
}

/** Bounds of an exploration: every schedule, or those with so many preemptions. */
export interface Bounds {
  readonly preemptions?: number
  readonly faults?: number
  readonly maxSchedules?: number
  readonly signal?: AbortSignal
}

export function exploreFromExec(scenario: AfterLaunch, bounds: Bounds = {}): Promise<ExploreReport> {
  const { preemptions, faults = 0, maxSchedules, signal } = bounds
  const inner = preemptions === undefined ? new SleepSets() : new Bounded(preemptions, faults)
  const strategy = new FromExec(inner)
  const run = (world: World) =>
    scenario(world, () => {
      strategy.isLaunched = true
    })
  return exploreWith(
    run,
    planOf({ faults, ...(maxSchedules && { maxSchedules }), ...(signal && { signal }) }),
    strategy,
  )
}
