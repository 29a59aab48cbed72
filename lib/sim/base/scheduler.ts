/**
 * Who runs next, and every other choice that Linux leaves open.
 *
 * All of the simulation's freedom passes through {@link Scheduler.choose}: the same answers give the same run, to the last event.
 */

import { RandomNumbers } from './random-numbers.ts'

/** One of the things a choice is between: a task that could step, or something the host awaits that could settle. */
export interface Actor {
  /** Stable within one run: the nth actor made. */
  readonly id: number
  /** Who this is, for a reader. */
  readonly label: string
  /** No move of anybody's, but something that goes wrong: a process is killed. Chosen only by who looks for faults. */
  readonly isFault?: boolean
}

/**
 * A choice to be made, between at least two options.
 *
 * - `step`: who moves. Asked before every system call of the host (which is an option itself), while the host is blocked in one, and, when
 *   the host awaits something, on each turn of its event loop; then the options include what could settle. Faults come last.
 * - `signal`: a task about to make a system call has a signal pending: 0 delivers it first, 1 lets the call begin.
 * - `signal-thread`: which of the threads that do not block a process's signal takes it.
 * - `wake`: which of the tasks that wait for one and the same is woken. Asked only of who explores: Linux keeps an order that it does not promise.
 * - `fault`: how a call of a task goes wrong: 0 is not at all, the others an errno each, or 'short' for fewer bytes than asked for. Asked only
 *   where faults were asked for.
 */
export type Choice =
  | { readonly kind: 'step'; readonly options: readonly Actor[] }
  | { readonly kind: 'signal'; readonly options: readonly ['deliver', 'call']; readonly task: Actor }
  | { readonly kind: 'signal-thread'; readonly options: readonly Actor[] }
  | { readonly kind: 'wake'; readonly options: readonly Actor[] }
  | { readonly kind: 'fault'; readonly options: readonly string[]; readonly task: Actor; readonly call: string }

/** The oracle: answers each choice with the index of an option. */
export interface Scheduler {
  /** The index of the option to take. */
  choose(choice: Choice): number
}

/** The actors in turn, in the order they were made; everything else as Linux does it mostly: signals at once, to the first thread. */
export class RoundRobinScheduler implements Scheduler {
  #last = -1

  /** The index of the option whose turn it is. */
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
  readonly #numbers: RandomNumbers

  constructor(seed: number) {
    this.#numbers = new RandomNumbers(seed)
  }

  /** The index of an option, at random. */
  choose(choice: Choice): number {
    return this.#numbers.integer(choice.options.length)
  }
}
