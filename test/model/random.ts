/** Random choices from fast-check's generator: the same seed gives the same program. */

import type { Random } from 'fast-check'

/** A value with its weight. */
export type Weighted<Value> = readonly [weight: number, value: Value]

export class Dice {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** An integer between two bounds, both included. */
  within(least: number, most: number): number {
    return this.#random.nextInt(least, most)
  }

  /** True with a probability of one in `many`. */
  oneIn(times: number): boolean {
    return this.within(1, times) === 1
  }

  of<Value>(values: readonly Value[]): Value {
    return values[this.within(0, values.length - 1)]!
  }

  weighted<Value>(choices: readonly Weighted<Value>[]): Value {
    let left = this.within(
      1,
      choices.reduce((sum, [weight]) => sum + weight, 0),
    )
    for (const [weight, value] of choices) {
      left -= weight
      if (left <= 0) return value
    }
    throw new Error('nothing to choose from')
  }

  /** Some of the bits, each with a probability of one in a number. */
  bits(all: readonly number[], times = 2): number {
    return all.reduce((mask, bit) => (this.oneIn(times) ? mask | bit : mask), 0) >>> 0
  }

  /** Up to `most` values, in any order. */
  some<Value>(values: readonly Value[], most: number): Value[] {
    if (values.length === 0) return []
    return Array.from({ length: this.within(0, most) }, () => this.of(values))
  }
}
