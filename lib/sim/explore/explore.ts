/** explore() and replay(): run a scenario under one schedule after another, until one fails or none is left. */

import { checkString } from '../../system/arguments.ts'
import { checksOf } from './checks.ts'
import { EventLog } from './event-log.ts'
import { Oracle } from './oracle.ts'
import { checkScenario, type Plan, planOf } from './plan.ts'
import { differs, doesNotFit, firstDifference } from './repeat.ts'
import { reportFailure, reportRun } from './report.ts'
import { type Finding, Runner, type Watcher } from './runner.ts'
import { parseSchedule, type Schedule } from './schedule.ts'
import { Bounded } from './strategies/bounded.ts'
import { Fixed } from './strategies/fixed.ts'
import { Pct } from './strategies/pct.ts'
import { RandomWalk } from './strategies/random.ts'
import { SleepSets } from './strategies/sleep-sets.ts'
import type { Strategy } from './strategy.ts'
import type { ExploreOptions, ExploreReport, Scenario } from './types.ts'

/** Least milliseconds between two reports of progress. */
const progressMs = 100

function strategyOf({ strategy, preemptions, faults, seed }: Plan): Strategy {
  switch (strategy) {
    case 'bounded':
      return new Bounded(preemptions, faults)
    case 'exhaustive':
      return new SleepSets()
    case 'random':
      return new RandomWalk(seed)
    case 'pct':
      return new Pct(seed)
  }
}

/**
 * Runs a scenario under every schedule within the bounds, each time in a new world, up to the first failing schedule.
 *
 * The scenario must depend on nothing but its world. Its code between two system calls or awaits is never interrupted.
 * Everything else is a choice: which task steps, which of the host's awaits settles, when a signal is delivered, and
 * which fault happens.
 *
 * @throws (by rejection) TypeError and RangeError for invalid options, the signal's reason when aborted.
 *
 * @example
 * const { failure, schedules } = await explore(async ({ system }) => {
 *   const tracee = await launch('/bin/true', [], { system })
 *   assert.equal((await tracee.run()).code, 0)
 * })
 * if (failure) console.log(failure.error, failure.schedule, String(failure.timeline))
 */
export async function explore(scenario: Scenario, options: ExploreOptions = {}): Promise<ExploreReport> {
  checkScenario(scenario)
  const plan = planOf(options)
  plan.signal?.throwIfAborted()
  return exploreWith(scenario, plan, strategyOf(plan))
}

/** Like {@link explore}, with any strategy and other checks. */
export async function exploreWith(
  scenario: Scenario,
  plan: Plan,
  strategy: Strategy,
  watch: Watcher = checksOf,
): Promise<ExploreReport> {
  const runner = new Runner(scenario, plan)
  try {
    return await new Exploration(plan, strategy, runner, watch).run()
  } finally {
    runner.close()
  }
}

/** The runs of one explore(). */
class Exploration {
  readonly #plan: Plan
  readonly #strategy: Strategy
  readonly #runner: Runner
  readonly #watch: Watcher
  readonly #oracle: Oracle
  #schedules = 0
  #lastProgressAt = performance.now()

  constructor(plan: Plan, strategy: Strategy, runner: Runner, watch: Watcher) {
    this.#plan = plan
    this.#strategy = strategy
    this.#runner = runner
    this.#watch = watch
    this.#oracle = new Oracle(strategy)
  }

  async run(): Promise<ExploreReport> {
    const { maxSchedules, signal } = this.#plan
    const strategy = this.#strategy
    let isFirst = true
    while (this.#schedules < maxSchedules) {
      if (!strategy.next()) return this.#report(strategy.coversAll(this.#oracle.forced))
      const log = isFirst ? new EventLog() : null
      const finding = await this.#runner.run(this.#oracle, kernel => {
        log?.record(kernel)
        return this.#watch(kernel)
      })
      const counts = strategy.end()
      const schedule = this.#oracle.schedule(this.#plan)
      if (strategy.difference !== null) return this.#failed(differs(strategy.difference), schedule)
      if (counts) this.#schedules++
      const isToBeRepeated = log !== null || finding !== null
      if (isToBeRepeated && finding?.kind !== 'nondeterminism') {
        const difference = await firstDifference(this.#runner, this.#watch, { schedule, finding, log })
        if (difference !== null) return this.#failed(differs(difference), schedule)
      }
      if (finding !== null && counts) return this.#failed(finding, schedule)
      isFirst = false
      this.#reportProgress()
      signal?.throwIfAborted()
    }
    return this.#report(!strategy.next() && strategy.coversAll(this.#oracle.forced))
  }

  async #failed(finding: Finding, schedule: Schedule): Promise<ExploreReport> {
    const failure = await reportFailure(this.#runner, finding, schedule, this.#plan.signal)
    return { schedules: this.#schedules, complete: false, failure }
  }

  #report(complete: boolean): ExploreReport {
    this.#plan.onProgress?.({ schedules: this.#schedules })
    return { schedules: this.#schedules, complete }
  }

  #reportProgress(): void {
    const { onProgress } = this.#plan
    if (onProgress === undefined) return
    const now = performance.now()
    if (now - this.#lastProgressAt < progressMs) return
    this.#lastProgressAt = now
    onProgress({ schedules: this.#schedules })
  }
}

/**
 * Runs a scenario once, under a schedule that explore() reported.
 *
 * A schedule that is not this scenario's is a failure of kind 'nondeterminism'.
 *
 * @throws (by rejection) TypeError (ERR_INVALID_ARG_VALUE) for a string that is no schedule.
 *
 * @example const { failure } = await replay(scenario, '1:0+57,12s2/3')
 */
export async function replay(scenario: Scenario, schedule: string): Promise<ExploreReport> {
  checkScenario(scenario)
  const parsed = parseSchedule(checkString(schedule, 'schedule'))
  const runner = new Runner(scenario, parsed)
  try {
    const fixed = new Fixed(parsed)
    fixed.next()
    const found = await runner.run(new Oracle(fixed), checksOf)
    fixed.end()
    const { difference } = fixed
    const finding = difference === null ? found : doesNotFit(difference, found)
    if (finding === null) return { schedules: 1, complete: false }
    const failure = await reportRun(runner, finding, parsed, difference === null)
    return { schedules: 1, complete: false, failure }
  } finally {
    runner.close()
  }
}
