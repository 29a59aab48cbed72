/**
 * Probabilistic concurrency testing, after Burckhardt and others (ASPLOS 2010).
 *
 * Every actor gets a random priority, and the highest that can move does. At `depth - 1` random choices the running
 * actor's priority drops below all others. A bug that needs `depth` orderings is found with a probability of at least
 * 1 / (n k^(depth - 1)), for n actors and k steps.
 */

import { RandomNumbers } from '../../base/random-numbers.ts'
import type { ChoicePoint, Strategy } from '../strategy.ts'

/** The depths of consecutive runs, in turn. */
const depths = [2, 3, 4]
const faultOdds = 16

export class Pct implements Strategy {
  readonly #seeds: RandomNumbers
  #numbers!: RandomNumbers
  #runs = 0
  #at = 0
  /** Number of choices in the longest run so far. */
  #longest = 16
  readonly #changes = new Set<number>()
  readonly #priorities = new Map<number, number>()
  /** The lowest priority so far; drawn ones are at least 0. */
  #lowest = 0
  readonly difference = null

  constructor(seed: number) {
    this.#seeds = new RandomNumbers(seed)
  }

  coversAll(): boolean {
    return false
  }

  next(): boolean {
    this.#numbers = new RandomNumbers(this.#seeds.integer(0x1_0000_0000))
    this.#priorities.clear()
    this.#changes.clear()
    this.#lowest = 0
    this.#at = 0
    const depth = depths[this.#runs++ % depths.length]!
    while (this.#changes.size < depth - 1) this.#changes.add(this.#numbers.integer(this.#longest))
    return true
  }

  choose({ kind, count, plain, actors }: ChoicePoint): number {
    const at = this.#at++
    if (plain < count && this.#numbers.integer(faultOdds) === 0) return plain + this.#numbers.integer(count - plain)
    if (kind !== 'step') return this.#numbers.integer(plain)
    let best = this.#highest(actors!, plain)
    if (this.#changes.has(at)) {
      this.#priorities.set(actors![best]!.id, --this.#lowest)
      best = this.#highest(actors!, plain)
    }
    return best
  }

  #highest(actors: NonNullable<ChoicePoint['actors']>, plain: number): number {
    let best = 0
    let highest = Number.NEGATIVE_INFINITY
    for (let i = 0; i < plain; i++) {
      const { id } = actors[i]!
      let priority = this.#priorities.get(id)
      if (priority === undefined) {
        priority = this.#numbers.fraction()
        this.#priorities.set(id, priority)
      }
      if (priority <= highest) continue
      highest = priority
      best = i
    }
    return best
  }

  end(): boolean {
    this.#longest = Math.max(this.#longest, this.#at)
    return true
  }
}
