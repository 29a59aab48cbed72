/**
 * Resumes a tracee from a stop, and hides those later stops that only the resumption causes.
 *
 * PTRACE_CONT, PTRACE_SINGLESTEP and PTRACE_SYSCALL deliver a signal at signal-delivery stops only. At every other stop
 * the kernel drops it. There the signal is queued to the thread first, by tgkill(2). It is delivered at the thread's
 * stop for it, which is not shown.
 */

import { constants } from '../../../system/constants.ts'
import { isErrno } from '../../../system/errors.ts'
import { type SignalName, signalName, signalNumber, standardSignals } from '../../../system/signals.ts'
import type { System } from '../../../system/system.ts'
import type { StopStatus } from '../../../system/wait-status.ts'
import { stopSignals } from '../../base/stop-signals.ts'
import { isGroupStop, isSignalDelivery } from './pass-on.ts'
import { keepStepping } from './traps.ts'

const { SI_TKILL } = constants

/** The request that resumes a tracee. */
export type Going = 'cont' | 'step' | 'syscall'

const { SIGKILL } = standardSignals
const lastSignal = signalNumber('SIGRTMAX')!
/** At most one instance of a standard signal is pending for a thread; of a real-time signal, any number. */
const lastStandardSignal = standardSignals.SIGSYS

export class Resumption {
  readonly #system: System
  readonly #pid: number
  readonly #tid: number
  #going: Going = 'cont'
  // Signals given at stops other than signal-delivery stops, not yet delivered.
  readonly #queued: number[] = []
  // How the end of the exec call is still to be reported: by a SIGTRAP, or by a system call's exit stop.
  #execEnd: 'trap' | 'call' | null = null
  #isExecEntryShown = false
  #hasStepped = false
  /** Replaces the next request by one that gets past a watched instruction. */
  detour: ((going: Going) => Going) | null = null

  constructor(system: System, pid: number, tid: number) {
    this.#system = system
    this.#pid = pid
    this.#tid = tid
  }

  /** Takes over from the thread that has exec'ed in the main thread's place: the exec's end is still to be reported. */
  takeOver(former: Resumption): void {
    this.#going = former.#going
    this.#queued.length = 0
    this.detour = null
  }

  /** The request that last resumed the tracee. */
  get going(): Going {
    return this.#going
  }

  set going(going: Going) {
    this.#going = going
  }

  /**
   * Resumes the tracee from `stop`, delivering `signal` unless it is 0. The signal of a group stop has had its effect:
   * delivered anew, it would stop the tracee once more, for as long as each stop's signal is passed on.
   */
  go(going: Going, stop: StopStatus, given: number): void {
    const signal = this.#isOfGroupStop(stop, given) ? 0 : given
    if (signal === 0 || signal > lastSignal || signal < 0 || isSignalDelivery(this.#system, this.#tid, stop))
      this.#request(going, signal)
    else if (signal === SIGKILL) this.#system.kill(this.#pid, SIGKILL)
    else {
      this.#system.tgkill(this.#pid, this.#tid, signal)
      this.#queued.push(signal)
      this.#request(going, 0)
    }
    if (stop.event === 'exec') {
      if (going === 'step') this.#execEnd = 'trap'
      // If the entry was shown, the exit must be shown too.
      else if (going === 'syscall' && !this.#isExecEntryShown) this.#execEnd = 'call'
    }
    this.#going = going
  }

  /** Resumes the tracee by the same request as before, without a signal. */
  again(): void {
    this.#request(this.#going, 0)
  }

  /** Resumes the tracee by another request, without a signal, from a stop that is not shown. */
  goOn(going: Going): void {
    this.#request(going, 0)
    this.#going = going
  }

  /** Queues `signal` before a detach from `stop`. True when queued: PTRACE_DETACH must then not deliver it too. */
  queue(stop: StopStatus, signal: number): boolean {
    if (signal === 0 || signal > lastSignal || signal < 0 || isSignalDelivery(this.#system, this.#tid, stop))
      return false
    this.#system.tgkill(this.#pid, this.#tid, signal)
    return true
  }

  /** Resumes the tracee from a stop that is not shown; false for a stop that is shown. */
  passUnseen(stop: StopStatus): boolean {
    const signal = this.#unseen(stop)
    if (signal === null) {
      if (stop.event === 'exec') this.#isExecEntryShown = this.#going === 'syscall'
      return false
    }
    try {
      this.#request(this.#going, signal)
    } catch (error) {
      // Killed at its stop: its exit is about to be reported.
      if (!isErrno(error, 'ESRCH')) throw error
    }
    return true
  }

  /** The signal to deliver at a stop that is not shown, 0 for none; null for a stop that is shown. */
  #unseen(stop: StopStatus): number | null {
    if (this.#execEnd !== null) {
      const isExecEnd =
        this.#execEnd === 'call' ? stop.event === 'syscall' : stop.event === undefined && stop.signal === 'SIGTRAP'
      if (isExecEnd) {
        this.#execEnd = null
        return 0
      }
    }
    const at = stop.event === undefined ? this.#queued.findIndex(each => signalName(each) === stop.signal) : -1
    if (at < 0) return null
    const signal = this.#queued[at]!
    if (this.#isOurs(stop.signal)) {
      this.#queued.splice(at, 1)
      return signal
    }
    // An earlier pending instance has absorbed the queued one: there is no second delivery.
    if (signal <= lastStandardSignal) this.#queued.splice(at, 1)
    return null
  }

  /**
   * Whether this tracer queued the signal of the stop. It is assumed that only this tracer, and the tracee itself, send
   * the tracee signals with tgkill.
   */
  #isOurs(name: SignalName): boolean {
    try {
      const { signal, code, pid } = this.#system.ptraceGetSigInfo(this.#tid)
      return signal === name && code === SI_TKILL && pid !== this.#pid
    } catch (error) {
      // EINVAL: a group stop for this signal, which has no siginfo. ESRCH: the tracee was killed.
      if (isErrno(error, 'EINVAL', 'ESRCH')) return false
      throw error
    }
  }

  #isOfGroupStop(stop: StopStatus, signal: number): boolean {
    if (!stopSignals.has(stop.signal) || signalNumber(stop.signal) !== signal) return false
    return stop.event === 'stop' || isGroupStop(this.#system, this.#tid, stop)
  }

  #request(going: Going, signal: number): void {
    const { ptraceCont, ptraceStep, ptraceSyscall } = this.#system
    const by = this.detour === null ? going : this.detour(going)
    if (by === 'step' && this.#hasStepped) keepStepping(this.#system, this.#tid)
    this.#hasStepped = by === 'step'
    const request = { cont: ptraceCont, step: ptraceStep, syscall: ptraceSyscall }[by]
    request.call(this.#system, this.#tid, signal)
  }
}
