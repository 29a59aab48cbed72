/** The world's time in milliseconds, monotonic: a virtual clock that jumps while every task waits, or the real one. */

import { youngArray } from './young-array.ts'

/** A callback that is due at a time; {@link Clock.cancel} removes it. */
export interface Timer {
  readonly at: number
  readonly fire: () => void
}

/** Timers in the order of their times; equal times fire in the order of creation. */
export abstract class Clock {
  readonly #timers = youngArray<Timer>()

  /** Milliseconds since some fixed moment. */
  abstract now(): number

  /** Blocks the JavaScript thread until `at`; virtual time jumps there instead. */
  abstract waitUntil(at: number): void

  /** Whether time passes only in {@link waitUntil}. */
  abstract readonly jumps: boolean

  /** Calls `fire` once the time `at` has come. */
  at(at: number, fire: () => void): Timer {
    const timer = { at, fire }
    let index = this.#timers.length
    while (index > 0 && this.#timers[index - 1]!.at > at) index--
    this.#timers.splice(index, 0, timer)
    return timer
  }

  cancel(timer: Timer): void {
    const index = this.#timers.indexOf(timer)
    if (index >= 0) this.#timers.splice(index, 1)
  }

  /** When the next timer is due; undefined when there is none. */
  next(): number | undefined {
    return this.#timers[0]?.at
  }

  /** Fires every timer whose time has come. */
  fireDue(): void {
    if (this.#timers.length === 0) return
    const now = this.now()
    while (this.#timers.length > 0 && this.#timers[0]!.at <= now) this.#timers.shift()!.fire()
  }
}

/** Time that stands still while any task can step. */
export class VirtualClock extends Clock {
  readonly jumps = true
  #now = 0

  now(): number {
    return this.#now
  }

  waitUntil(at: number): void {
    if (at > this.#now) this.#now = at
  }
}

// Saved at load, so that a test that replaces the global timers does not stop the clock.
const machineNow = performance.now.bind(performance)

/** The time of the machine. */
export class RealClock extends Clock {
  readonly jumps = false

  now(): number {
    return machineNow()
  }

  waitUntil(at: number): void {
    blockThreadUntil(at)
  }
}

/** Blocks the JavaScript thread for so many milliseconds of the machine's time. */
export function blockThread(ms: number): void {
  blockThreadUntil(machineNow() + ms)
}

function blockThreadUntil(at: number): void {
  // Busy-waits where Atomics.wait throws (a browser's main thread) or SharedArrayBuffer is missing (no isolation).
  for (let left = at - machineNow(); left > 0; left = at - machineNow()) {
    try {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, left)
    } catch {}
  }
}
