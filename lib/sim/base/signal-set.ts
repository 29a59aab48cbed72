/** Sets of signals, and the queues of those that are pending: signal(7). */

import type { Stamp } from '../findings/vector-clock.ts'
import { youngArray } from './young-array.ts'

/** What came with a signal, as siginfo_t has it. */
export interface SignalOrigin {
  readonly code: number
  readonly pid?: number
  readonly uid?: number
  readonly status?: number
}

/** A signal that was sent and not yet delivered. */
export interface PendingSignal {
  readonly signal: number
  readonly origin: SignalOrigin
  /** What its senders knew, for who gets it. */
  stamp?: Stamp
}

/** si_code of kill(2), of a signal the kernel sends, of tgkill(2); of a single step's SIGTRAP, out of an exec and else. */
export const fromUser = 0
export const fromKernel = 0x80
export const fromThread = -6
export const fromTraceExec = 1
export const fromTraceStep = 2

const lastStandard = 31
/** Those that an instruction causes; they are delivered before any others. */
const synchronous: ReadonlySet<number> = new Set([4, 5, 7, 8, 11, 31])

/** A set of signals 1 to 64. */
export class SignalSet {
  #low = 0
  #high = 0

  static of(signals: Iterable<number>): SignalSet {
    const set = new SignalSet()
    for (const signal of signals) set.add(signal)
    return set
  }

  has(signal: number): boolean {
    return signal <= 32 ? ((this.#low >>> (signal - 1)) & 1) !== 0 : ((this.#high >>> (signal - 33)) & 1) !== 0
  }

  add(signal: number): this {
    if (signal <= 32) this.#low |= 1 << (signal - 1)
    else this.#high |= 1 << (signal - 33)
    return this
  }

  delete(signal: number): this {
    if (signal <= 32) this.#low &= ~(1 << (signal - 1))
    else this.#high &= ~(1 << (signal - 33))
    return this
  }

  addAll(other: SignalSet): this {
    this.#low |= other.#low
    this.#high |= other.#high
    return this
  }

  deleteAll(other: SignalSet): this {
    this.#low &= ~other.#low
    this.#high &= ~other.#high
    return this
  }

  toNumbers(): number[] {
    return Array.from({ length: 64 }, (_, index) => index + 1).filter(signal => this.has(signal))
  }

  copy(): SignalSet {
    return new SignalSet().addAll(this)
  }
}

/** Signals waiting to be delivered: each standard one at most once, real-time ones queued. */
export class PendingSignals {
  #queue = youngArray<PendingSignal>()

  has(signal: number): boolean {
    return this.#queue.some(pending => pending.signal === signal)
  }

  /** Whether one of them is not blocked. */
  anyOutside(blocked: SignalSet): boolean {
    return this.#queue.some(({ signal }) => !blocked.has(signal))
  }

  /** Queues a signal; a standard one that is there already is one with it. */
  add(signal: number, origin: SignalOrigin): boolean {
    if (signal <= lastStandard && this.has(signal)) return false
    this.#queue.push({ signal, origin })
    return true
  }

  /** The one of this number that was queued last. */
  latest(signal: number): PendingSignal | undefined {
    return this.#queue.filter(pending => pending.signal === signal).at(-1)
  }

  delete(unwanted: (signal: number) => boolean): void {
    if (this.#queue.length > 0) this.#queue = this.#queue.filter(({ signal }) => !unwanted(signal))
  }

  /** Takes the next to deliver: a synchronous one, else the lowest number; equal ones in the order they came. */
  take(blocked: SignalSet): PendingSignal | undefined {
    let best: PendingSignal | undefined
    for (const pending of this.#queue) {
      if (!blocked.has(pending.signal) && (best === undefined || precedes(pending.signal, best.signal))) best = pending
    }
    if (best !== undefined) this.#queue.splice(this.#queue.indexOf(best), 1)
    return best
  }
}

function precedes(signal: number, other: number): boolean {
  if (synchronous.has(signal) !== synchronous.has(other)) return synchronous.has(signal)
  return signal < other
}
