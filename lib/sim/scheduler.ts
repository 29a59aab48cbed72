/**
 * Who runs next, and every other choice that Linux leaves open.
 *
 * All of the simulation's freedom passes through {@link Scheduler.choose}: the same answers give the same run, to the last event.
 */

/** One of the things a choice is between: a task that could step, or something the host awaits that could settle. */
export interface Actor {
  /** Stable within one run: the nth actor made. */
  readonly id: number
  /** Who this is, for a reader. */
  readonly label: string
}

/**
 * A choice to be made, between at least two options.
 *
 * - `step`: who moves. Asked before every system call of the host (which is an option itself), while the host is blocked in one, and, when
 *   the host awaits something, on each turn of its event loop; then the options include what could settle.
 * - `signal`: a task about to make a system call has a signal pending: 0 delivers it first, 1 lets the call begin.
 * - `signal-thread`: which of the threads that do not block a process's signal takes it.
 */
export type Choice =
  | { readonly kind: 'step'; readonly options: readonly Actor[] }
  | { readonly kind: 'signal'; readonly options: readonly ['deliver', 'call']; readonly task: Actor }
  | { readonly kind: 'signal-thread'; readonly options: readonly Actor[] }

/** The oracle: answers each choice with the index of an option. */
export interface Scheduler {
  choose(choice: Choice): number
}

/** The actors in turn, in the order they were made; everything else as Linux does it mostly: signals at once, to the first thread. */
export class RoundRobinScheduler implements Scheduler {
  #last = -1

  choose(choice: Choice): number {
    if (choice.kind !== 'step') return 0
    const { options } = choice
    let index = options.findIndex(actor => actor.id > this.#last)
    if (index < 0) index = 0
    this.#last = options[index]!.id
    return index
  }
}

/** Every option equally likely, from a seed: the same seed, the same run. */
export class RandomScheduler implements Scheduler {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  choose(choice: Choice): number {
    return Math.floor(this.#next() * choice.options.length)
  }

  /** A step of mulberry32, in [0, 1): small, and good enough to shuffle with. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}
