/**
 * Iterative bounding: every schedule without a preemption, then every one with one, with two …; and so for each number of faults.
 *
 * Most bugs of concurrency need very few preemptions, and their number bounds the schedules polynomially. A switch where somebody has to wait is
 * no preemption. After CHESS (Musuvathi and Qadeer).
 */

import type { ChoicePoint, Strategy } from '../strategy.ts'
import { DepthFirst } from './depth-first.ts'

export class Bounded implements Strategy {
  readonly #rounds: { readonly preemptions: number; readonly faults: number }[] = []
  #search: DepthFirst

  constructor(preemptions: number, faults: number) {
    for (let f = 0; f <= faults; f++) {
      for (let p = 0; p <= preemptions; p++) this.#rounds.push({ preemptions: p, faults: f })
    }
    this.#search = this.#nextRound()!
  }

  #nextRound(): DepthFirst | undefined {
    const round = this.#rounds.shift()
    return round && new DepthFirst(round.preemptions, round.faults)
  }

  get difference(): string | null {
    return this.#search.difference
  }

  coversAll(): boolean {
    return true
  }

  next(): boolean {
    while (!this.#search.next()) {
      const search = this.#nextRound()
      if (search === undefined) return false
      this.#search = search
    }
    return true
  }

  choose(point: ChoicePoint): number {
    return this.#search.choose(point)
  }

  end(): boolean {
    return this.#search.end()
  }
}
