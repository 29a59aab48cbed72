/** Signals that were sent and not yet delivered: a thread's, and a process's. */

import { removeFrom } from '../base/remove-from.ts'
import { faultSignals, lastStandardSignal, SIGSYS } from '../base/signal-numbers.ts'
import type { SignalSet } from '../base/signal-set.ts'
import { youngArray } from '../base/young-array.ts'

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
}

/** si_code of kill(2), of a signal the kernel sends, of tgkill(2); of a single step's SIGTRAP, out of an exec and else. */
export const fromUser = 0
export const fromKernel = 0x80
export const fromThread = -6
export const fromTraceExec = 1
export const fromTraceStep = 2

/** Delivered before any others. */
const synchronous: ReadonlySet<number> = new Set([...faultSignals, SIGSYS])

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
    if (signal <= lastStandardSignal && this.has(signal)) return false
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
    if (best !== undefined) removeFrom(this.#queue, best)
    return best
  }
}

function precedes(signal: number, other: number): boolean {
  if (synchronous.has(signal) !== synchronous.has(other)) return synchronous.has(signal)
  return signal < other
}
