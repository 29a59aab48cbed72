/** The options of a Tracee's methods. */

import type { Signal } from '../../system/signals.ts'

/** Options of detach(). */
export interface DetachOptions {
  /** Delivered in place of the signal that the main thread stopped for; 0 delivers neither. */
  readonly signal?: Signal | undefined
  /**
   * Milliseconds until the detach rejects with TimedOutError and is undone. Without limit when left out, negative or
   * Infinity.
   */
  readonly timeoutMs?: number | undefined
}

/** Options of handOff() and stopAll(). */
export interface StopAllOptions {
  /**
   * Milliseconds until the call rejects with TimedOutError and is undone. Without limit when left out, negative or
   * Infinity.
   */
  readonly timeoutMs?: number | undefined
}

/** Options of everyStop(). */
export interface EveryStopOptions {
  /** Events to stop at, besides those that every tracee stops at. */
  readonly events?: readonly ('exit' | 'seccomp' | 'vfork-done')[] | undefined
}
