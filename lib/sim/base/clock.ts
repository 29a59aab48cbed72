/** The world's time: a virtual clock that jumps when everybody waits, or the real one. Milliseconds, monotonic. */

import { youngArray } from './young-array.ts'

/** Something to happen at a time; cancelled by {@link Clock.cancel}. */
export interface Timer {
  readonly at: number
  readonly fire: () => void
}

/** Timers in order of time, and of creation where times are equal. */
export abstract class Clock {
  readonly #timers = youngArray<Timer>()

  /** Milliseconds since some fixed moment. */
  abstract now(): number

  /** Lets the time of the next timer come, in a call that blocks the JavaScript thread; virtual time jumps there. */
  abstract waitUntil(at: number): void

  /** Whether time passes only by {@link waitUntil}. */
  abstract readonly jumps: boolean

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

/** Time that stands still until everybody waits. */
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

/** The time of the machine. */
export class RealClock extends Clock {
  readonly jumps = false

  now(): number {
    return performance.now()
  }

  waitUntil(at: number): void {
    // A browser's main thread refuses Atomics.wait, and a page without isolation has no SharedArrayBuffer: there it spins.
    for (let left = at - this.now(); left > 0; left = at - this.now()) {
      try {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, left)
      } catch {}
    }
  }
}
