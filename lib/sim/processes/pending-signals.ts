/** Pending signals of a thread or of a process: sent and not yet delivered. */

import { constants } from '../../system/constants.ts'
import { removeFrom } from '../base/remove-from.ts'
import { faultSignals, lastStandardSignal, SIGKILL, SIGSYS } from '../base/signal-numbers.ts'
import type { SignalSet } from '../base/signal-set.ts'
import { youngArray } from '../base/young-array.ts'

/** The siginfo_t of a signal. */
export interface SignalOrigin {
  readonly code: number
  readonly pid?: number
  readonly uid?: number
  readonly status?: number
  /** The whole siginfo_t of a signal that was queued with one. */
  readonly bytes?: Uint8Array
}

/** A signal that was sent and not yet delivered. */
export interface PendingSignal {
  readonly signal: number
  readonly origin: SignalOrigin
}

/** si_code of kill(2), the kernel and tgkill(2); then of the SIGTRAP of a single step: after an exec, and otherwise. */
export const {
  SI_USER: fromUser,
  SI_KERNEL: fromKernel,
  SI_TKILL: fromThread,
  TRAP_BRKPT: fromTraceExec,
  TRAP_TRACE: fromTraceStep,
} = constants

/** The origin of the SIGSTOP of a traced newborn, which is pending without a siginfo, as SIGKILL is. */
export const noSiginfo: SignalOrigin = { code: fromUser, pid: 0, uid: 0 }

/** Signals delivered before all others. */
const synchronous: ReadonlySet<number> = new Set([...faultSignals, SIGSYS])

/** Pending signals. A standard one is pending at most once; real-time ones queue. */
export class PendingSignals {
  #queue = youngArray<PendingSignal>()

  has(signal: number): boolean {
    return this.#queue.some(pending => pending.signal === signal)
  }

  /** Whether any is outside the blocked set. */
  anyOutside(blocked: SignalSet): boolean {
    return this.#queue.some(({ signal }) => !blocked.has(signal))
  }

  /** Queues a signal; false, and no change, if it is a standard signal that is pending already. */
  add(signal: number, origin: SignalOrigin): boolean {
    if (signal <= lastStandardSignal && this.has(signal)) return false
    this.#queue.push({ signal, origin })
    return true
  }

  /** Those that have a siginfo of their own, in the order sent. */
  queued(): readonly PendingSignal[] {
    return this.#queue.filter(({ signal, origin }) => signal !== SIGKILL && origin !== noSiginfo)
  }

  /** The last queued one of this number. */
  latest(signal: number): PendingSignal | undefined {
    return this.#queue.filter(pending => pending.signal === signal).at(-1)
  }

  delete(unwanted: (signal: number) => boolean): void {
    if (this.#queue.length > 0) this.#queue = this.#queue.filter(({ signal }) => !unwanted(signal))
  }

  /** Takes the next to deliver: synchronous ones first, then the lowest number; equal numbers in the order sent. */
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
