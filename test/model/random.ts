/** Choices at random, from fast-check's generator: the same seed, the same program. */

import type { Random } from 'fast-check'

/** A weight, and what it is the weight of. */
export type Weighted<Value> = readonly [weight: number, value: Value]

export class Dice {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** A whole number, both ends included. */
  within(least: number, most: number): number {
    return this.#random.nextInt(least, most)
  }

  /** True once in so many times. */
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

  /** Some of the bits, each with the given chance of one in so many. */
  bits(all: readonly number[], times = 2): number {
    return all.reduce((mask, bit) => (this.oneIn(times) ? mask | bit : mask), 0) >>> 0
  }

  /** Up to `most` values, in any order. */
  some<Value>(values: readonly Value[], most: number): Value[] {
    if (values.length === 0) return []
    return Array.from({ length: this.within(0, most) }, () => this.of(values))
  }
}
