/** Random walks: every choice at random. */

import { RandomNumbers } from '../../base/random-numbers.ts'
import type { ChoicePoint, Strategy } from '../strategy.ts'

/** A possible fault happens with a probability of one in this: often enough for faults early and late in a run. */
const faultOdds = 16

export class RandomWalk implements Strategy {
  readonly #seeds: RandomNumbers
  #numbers!: RandomNumbers
  readonly difference = null

  constructor(seed: number) {
    this.#seeds = new RandomNumbers(seed)
  }

  coversAll(): boolean {
    return false
  }

  next(): boolean {
    this.#numbers = new RandomNumbers(this.#seeds.integer(0x1_0000_0000))
    return true
  }

  choose({ count, plain }: ChoicePoint): number {
    if (plain < count && this.#numbers.integer(faultOdds) === 0) return plain + this.#numbers.integer(count - plain)
    return this.#numbers.integer(plain)
  }

  end(): boolean {
    return true
  }
}
