/**
 * Probabilistic concurrency testing, after Burckhardt and others (ASPLOS 2010).
 *
 * Every actor gets a random priority, and the highest that can move does. At `depth - 1` random choices the running
 * actor's priority drops below all others. A bug that needs `depth` orderings is found with a probability of at least
 * 1 / (n k^(depth - 1)), for n actors and k steps.
 */

import type { ChoicePoint } from '../strategy.ts'
import { Sampled } from './sampled.ts'

/** The depths of consecutive runs, in turn. */
const depths = [2, 3, 4]

export class Pct extends Sampled {
  #runs = 0
  #at = 0
  /** Number of choices in the longest run so far. */
  #longest = 16
  readonly #changes = new Set<number>()
  readonly #priorities = new Map<number, number>()
  /** The lowest priority so far; drawn ones are at least 0. */
  #lowest = 0

  override next(): boolean {
    super.next()
    this.#priorities.clear()
    this.#changes.clear()
    this.#lowest = 0
    this.#at = 0
    const depth = depths[this.#runs++ % depths.length]!
    while (this.#changes.size < depth - 1) this.#changes.add(this.numbers.integer(this.#longest))
    return true
  }

  override choose(point: ChoicePoint): number {
    this.#at++
    return super.choose(point)
  }

  protected choosePlain({ kind, plain, actors }: ChoicePoint): number {
    if (kind !== 'step') return this.numbers.integer(plain)
    let best = this.#highest(actors!, plain)
    if (this.#changes.has(this.#at - 1)) {
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
        priority = this.numbers.fraction()
        this.#priorities.set(id, priority)
      }
      if (priority <= highest) continue
      highest = priority
      best = i
    }
    return best
  }

  override end(): boolean {
    this.#longest = Math.max(this.#longest, this.#at)
    return super.end()
  }
}
