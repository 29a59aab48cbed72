/**
 * Interrupts that were sent to a thread and have not stopped it yet: the user's, and the library's own, whose stops are
 * not shown.
 *
 * A seized thread gets PTRACE_INTERRUPT. A trap that the thread is about to report uses it up; an interrupt that comes
 * after such a trap stops the thread once more. Under 'traceme' a thread gets a SIGSTOP, which stays pending until it
 * is delivered or a SIGCONT drops it. A second SIGSTOP merges with a pending one. If the first has just been delivered,
 * the thread stops twice.
 */

import { constants } from '../../../system/constants.ts'
import { isErrno } from '../../../system/errors.ts'
import type { SignalInfo, System } from '../../../system/system.ts'
import type { StopStatus } from '../../../system/wait-status.ts'
import type { Tracing } from './options.ts'

const { SI_TKILL } = constants

/** More than RLIMIT_SIGPENDING allows by default. */
export const mostPending = 1_000_000

export class Interruption {
  readonly #system: System
  readonly #pid: number
  readonly #tid: number
  #isUsersDue = false
  #isOwnDue = false
  // The own interrupt may have been used up by a trap.
  #isOwnDoubtful = false
  // SIGSTOPs sent since the last time that none was pending.
  #sent = 0

  constructor(system: System, pid: number, tid: number) {
    this.#system = system
    this.#pid = pid
    this.#tid = tid
  }

  /** Whether an own interrupt is still to come. */
  get isOwnDue(): boolean {
    return this.#isOwnDue
  }

  /** Whether an own interrupt is still to come, but a trap may have used it up. */
  get isOwnDoubtful(): boolean {
    return this.#isOwnDue && this.#isOwnDoubtful
  }

  /** Whether an interrupt of the user is still to come. */
  get isUsersDue(): boolean {
    return this.#isUsersDue
  }

  /** Whether any interrupt is still to come. */
  get isDue(): boolean {
    return this.#isOwnDue || this.#isUsersDue
  }

  send(by: 'user' | 'own', tracing: Tracing): void {
    if (tracing === 'seize') this.#system.ptraceInterrupt(this.#tid)
    else {
      this.#system.tgkill(this.#pid, this.#tid, 'SIGSTOP')
      this.#sent++
    }
    if (by === 'user') this.#isUsersDue = true
    else {
      this.#isOwnDue = true
      this.#isOwnDoubtful = false
    }
  }

  /** Whose interrupt has caused a stop; undefined if the stop has another cause. */
  cause(stop: StopStatus, tracing: Tracing, wasListening: boolean): 'user' | 'own' | undefined {
    if (!this.#isUsersDue && !this.#isOwnDue) return undefined
    if (tracing === 'seize' ? this.#isTrap(stop, wasListening) : this.#isSent(stop)) {
      const by = this.#isUsersDue ? 'user' : 'own'
      this.#isUsersDue = false
      // A second SIGSTOP that was shown would be passed on, and would stop the program.
      this.#isOwnDue = this.#sent > 1 && this.isSigstopPending()
      this.#sent = this.#isOwnDue ? 1 : 0
      return by
    }
    if (tracing === 'seize') {
      this.#isUsersDue = false
      if (this.#isOwnDoubtful) this.#isOwnDue = false
      this.#isOwnDoubtful = true
    }
    return undefined
  }

  /** Whether a SIGSTOP of tgkill(2) is pending. The thread must be at a stop. */
  isSigstopPending(): boolean {
    try {
      return this.#system.ptracePeekSigInfo(this.#tid, 0, mostPending).some(info => this.#isOfTracer(info))
    } catch (error) {
      if (isErrno(error, 'ESRCH')) return false
      throw error
    }
  }

  /** Takes over from the thread that has exec'ed, and has this thread's number now, what is pending for it. */
  takeOver(former: Interruption): void {
    // A SIGSTOP that was sent to the main thread after the exec, and before its event, is pending for this thread.
    const isForMain = this.#sent > 0 && this.isSigstopPending()
    this.#isUsersDue = former.#isUsersDue
    this.#isOwnDue = former.#isOwnDue || (isForMain && !former.#isUsersDue)
    this.#isOwnDoubtful = former.#isOwnDoubtful
    this.#sent = former.#sent + (isForMain ? this.#sent : 0)
  }

  #isTrap({ event, signal }: StopStatus, wasListening: boolean): boolean {
    if (event !== 'stop') return false
    // A listening thread reports its group stop once more; SIGTRAP there is the end of the group stop.
    return wasListening ? signal !== 'SIGTRAP' : signal === 'SIGTRAP'
  }

  /** Whether the SIGSTOP is one of tgkill(2), and not the program's own. */
  #isSent({ event, signal }: StopStatus): boolean {
    if (event !== undefined || signal !== 'SIGSTOP') return false
    try {
      return this.#isOfTracer(this.#system.ptraceGetSigInfo(this.#tid))
    } catch (error) {
      if (isErrno(error, 'EINVAL', 'ESRCH')) return false
      throw error
    }
  }

  #isOfTracer({ signal, code, pid }: SignalInfo): boolean {
    return signal === 'SIGSTOP' && code === SI_TKILL && pid !== this.#pid
  }
}
