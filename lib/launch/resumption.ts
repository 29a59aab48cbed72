/**
 * How a tracee is sent on from a stop, and which of its next stops come of that alone and are not shown.
 *
 * PTRACE_CONT, PTRACE_SINGLESTEP and PTRACE_SYSCALL deliver a signal at signal-delivery stops only. At every other stop the kernel drops it:
 * there the signal is queued for the thread first, and passed on when the thread stops for its delivery.
 */

import { isErrno } from '../system/errors.ts'
import { type SignalName, signalName } from '../system/signals.ts'
import type { System } from '../system/system.ts'
import type { StopStatus } from '../system/wait-status.ts'
import { isGroupStop } from './pass-on.ts'

/** The request by which a tracee goes on. */
export type Going = 'cont' | 'step' | 'syscall'

const SIGKILL = 9
const lastSignal = 64
/** Of standard signals one at most is pending for a thread, of real-time ones any number. */
const lastStandardSignal = 31
/** SI_TKILL, the si_code of tgkill(2). */
const fromThread = -6

export class Resumption {
  readonly #system: System
  readonly #pid: number
  #going: Going = 'cont'
  // Signals given at stops that are no signal-delivery stops, not yet delivered.
  readonly #queued: number[] = []
  // How the exec's own way out of the kernel will be reported, where that is still to come: by a trap, or by the exit of the call.
  #execEnd: 'trap' | 'call' | null = null
  #isExecEntryShown = false

  constructor(system: System, pid: number) {
    this.#system = system
    this.#pid = pid
  }

  /** How the tracee was last sent on. */
  get going(): Going {
    return this.#going
  }

  /** Sends the tracee on from `stop`, delivering `signal` unless that is 0. */
  go(going: Going, stop: StopStatus, signal: number): void {
    if (signal === 0 || signal > lastSignal || signal < 0 || this.#takesSignals(stop)) this.#request(going, signal)
    else if (signal === SIGKILL) this.#system.kill(this.#pid, SIGKILL)
    else {
      this.#system.tgkill(this.#pid, this.#pid, signal)
      this.#queued.push(signal)
      this.#request(going, 0)
    }
    if (stop.event === 'exec') {
      if (going === 'step') this.#execEnd = 'trap'
      // An entry that was shown has its exit shown too.
      else if (going === 'syscall' && !this.#isExecEntryShown) this.#execEnd = 'call'
    }
    this.#going = going
  }

  /** Queues `signal` for a tracee that is about to be detached from `stop`; whether PTRACE_DETACH is not to deliver it. */
  queue(stop: StopStatus, signal: number): boolean {
    if (signal === 0 || signal > lastSignal || signal < 0 || this.#takesSignals(stop)) return false
    this.#system.tgkill(this.#pid, this.#pid, signal)
    return true
  }

  /** Sends the tracee on from a stop that is not shown; false for one that is. */
  passUnseen(stop: StopStatus): boolean {
    const signal = this.#unseen(stop)
    if (signal === null) {
      if (stop.event === 'exec') this.#isExecEntryShown = this.#going === 'syscall'
      return false
    }
    try {
      this.#request(this.#going, signal)
    } catch (error) {
      // Killed at its stop: its end is on its way.
      if (!isErrno(error, 'ESRCH')) throw error
    }
    return true
  }

  /** The signal to pass on at a stop that is not shown, 0 for none; null where it is shown. */
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
    // One that was pending before has taken ours in: there will be no other.
    if (signal <= lastStandardSignal) this.#queued.splice(at, 1)
    return null
  }

  /** Whether the signal that the tracee has stopped for was queued by us: the tracee itself is all else that uses tgkill on it. */
  #isOurs(name: SignalName): boolean {
    try {
      const { signal, code, pid } = this.#system.ptraceGetSigInfo(this.#pid)
      return signal === name && code === fromThread && pid !== this.#pid
    } catch (error) {
      // A group-stop for this signal, which has none to tell of; or it was killed.
      if (isErrno(error, 'EINVAL', 'ESRCH')) return false
      throw error
    }
  }

  #takesSignals(stop: StopStatus): boolean {
    return stop.event === undefined && !isGroupStop(this.#system, this.#pid, stop)
  }

  #request(going: Going, signal: number): void {
    const { ptraceCont, ptraceStep, ptraceSyscall } = this.#system
    const request = { cont: ptraceCont, step: ptraceStep, syscall: ptraceSyscall }[going]
    request.call(this.#system, this.#pid, signal)
  }
}
