/**
 * Iterative bounding, after CHESS (Musuvathi and Qadeer): every schedule with 0 preemptions, then 1, 2 …, up to the
 * bound, and that for each number of faults.
 *
 *     Bounded(2, 1)   rounds (preemptions, faults): (0,0) (1,0) (2,0) (0,1) (1,1) (2,1)
 *
 * The rounds end where a round has left nothing out: with more preemptions, or faults, there are no further schedules.
 *
 * Most concurrency bugs need very few preemptions, and for a given number of them there are only polynomially many
 * schedules. A switch from a task that has to wait is no preemption.
 */

import type { Kernel } from '../../kernel/kernel.ts'
import type { ChoicePoint, Strategy } from '../strategy.ts'
import { DepthFirst, type SearchOptions } from './depth-first.ts'

export class Bounded implements Strategy {
  readonly #preemptions: number
  readonly #faults: number
  readonly #options: SearchOptions
  #round = { preemptions: 0, faults: 0 }
  #search: DepthFirst

  constructor(preemptions: number, faults: number, options: SearchOptions = {}) {
    this.#preemptions = preemptions
    this.#faults = faults
    this.#options = options
    this.#search = new DepthFirst(0, 0, options)
  }

  #nextRound(): DepthFirst | undefined {
    const { preemptions, faults } = this.#round
    const { leftOut } = this.#search
    if (preemptions < this.#preemptions && leftOut.preemption) this.#round = { preemptions: preemptions + 1, faults }
    else if (faults < this.#faults && leftOut.fault) this.#round = { preemptions: 0, faults: faults + 1 }
    else return undefined
    return new DepthFirst(this.#round.preemptions, this.#round.faults, this.#options)
  }

  get difference(): string | null {
    return this.#search.difference
  }

  coversAll(): boolean {
    return true
  }

  begin(kernel: Kernel): void {
    this.#search.begin(kernel)
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
