/**
 * Which task runs next, and every other choice that Linux leaves open.
 *
 * Every choice passes through {@link Scheduler.choose}: the same answers give the same run, to the last event.
 */

import { RandomNumbers } from './random-numbers.ts'

/** An option of a choice: a task that could step, something awaited that could settle, or a fault. */
export interface Actor {
  /** Numbered in the order of creation; equal schedules give equal numbers. */
  readonly id: number
  /** Its name in reports. */
  readonly label: string
  /** Not a move of a task but an injected fault: a process is killed. Offered only where faults are asked for. */
  readonly isFault?: boolean
}

/**
 * A choice to be made, between at least two options.
 *
 * - `step`: which actor moves. Asked before each system call of the host (an option itself), while the host is blocked
 *   in one, and on each turn of the event loop while it awaits something. Then what could settle is an option too.
 *   Faults come last.
 * - `signal`: a task about to make a system call has a signal pending. 0 delivers it first, 1 lets the call begin.
 * - `signal-thread`: which of the threads that do not block a process's signal takes it.
 * - `wake`: which of several waiters in one queue is woken. Asked only in an exploration: Linux has an order but does
 *   not promise it.
 * - `fault`: how a call fails. 0 is not at all, each other option an errno, or 'short' for fewer bytes than asked for.
 *   Asked only where faults are asked for.
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

/** The actors in turn, in the order of creation. Other choices take option 0: signals at once, to the first thread. */
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

/** Every option equally likely; the same seed gives the same run. */
export class RandomScheduler implements Scheduler {
  readonly #numbers: RandomNumbers

  constructor(seed: number) {
    this.#numbers = new RandomNumbers(seed)
  }

  /** The index of a random option. */
  choose(choice: Choice): number {
    return this.#numbers.integer(choice.options.length)
  }
}
