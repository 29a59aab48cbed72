/** Repeats a given schedule. */

import { countOf } from '../../base/count-of.ts'
import type { Schedule } from '../schedule.ts'
import { type ChoicePoint, describeDifference, type Strategy } from '../strategy.ts'

export class Fixed implements Strategy {
  readonly #schedule: Schedule
  readonly #isStrict: boolean
  #next = 0
  #at = 0
  difference: string | null = null

  /** Strict: a run that departs from the schedule sets {@link difference}. Otherwise the schedule adapts. */
  constructor(schedule: Schedule, isStrict = true) {
    this.#schedule = schedule
    this.#isStrict = isStrict
  }

  coversAll(): boolean {
    return false
  }

  next(): boolean {
    this.#next = 0
    this.#at = 0
    return true
  }

  choose(point: ChoicePoint): number {
    const at = this.#at++
    const deviation = this.#schedule.deviations[this.#next]
    if (deviation === undefined || at < deviation.at) return point.fallback
    this.#next++
    const { kind, count, chosen } = deviation
    if (kind === point.kind && count === point.count) return chosen
    if (this.#isStrict) this.difference ??= describeDifference(at, deviation, point)
    return kind === point.kind && chosen < point.count ? chosen : point.fallback
  }

  end(): boolean {
    if (!this.#isStrict) return true
    const unused = this.#schedule.deviations[this.#next]
    if (unused !== undefined) this.difference ??= describeDifference(unused.at, unused, null)
    else if (this.#at !== this.#schedule.choices)
      this.difference ??= `the schedule has ${countOf(this.#schedule.choices, 'choice')}, and this run made ${this.#at}`
    return true
  }
}
