/** Strategies that draw schedules at random, one after another without end. */

import { RandomNumbers } from '../../base/random-numbers.ts'
import type { ChoicePoint, Strategy } from '../strategy.ts'

/** A possible fault happens with a probability of one in this: often enough for faults early and late in a run. */
const faultOdds = 16

/** Seeds each run's random numbers, so that a run's choices do not depend on the length of earlier runs. */
export abstract class Sampled implements Strategy {
  readonly #seeds: RandomNumbers
  /** The random numbers of the current run. */
  protected numbers!: RandomNumbers
  readonly difference = null

  constructor(seed: number) {
    this.#seeds = new RandomNumbers(seed)
  }

  coversAll(): boolean {
    return false
  }

  next(): boolean {
    this.numbers = new RandomNumbers(this.#seeds.integer(0x1_0000_0000))
    return true
  }

  choose(point: ChoicePoint): number {
    const { numbers } = this
    const { count, plain } = point
    if (plain < count && numbers.integer(faultOdds) === 0) return plain + numbers.integer(count - plain)
    return this.choosePlain(point)
  }

  /** Chooses among the options that are no faults. */
  protected abstract choosePlain(point: ChoicePoint): number

  end(): boolean {
    return true
  }
}
