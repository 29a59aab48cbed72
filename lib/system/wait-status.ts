/** Wait statuses: what waitpid(2) tells of a child, as a union, and the decoding of the raw integer. */

import { invalidType } from './argument-errors.ts'
import { constants } from './constants.ts'
import { type SignalName, signalName } from './signals.ts'

/** How a process ended: WIFEXITED with its code, or WIFSIGNALED with its signal. */
export type ExitStatus =
  | { readonly kind: 'exited'; readonly code: number; readonly signal: null }
  | { readonly kind: 'signaled'; readonly code: null; readonly signal: SignalName; readonly coreDumped: boolean }

/** A ptrace stop that is not for a signal: PTRACE_EVENT_*, or a system call's entry or exit (with PTRACE_O_TRACESYSGOOD). */
export type StopEvent = 'exec' | 'fork' | 'vfork' | 'vfork-done' | 'clone' | 'exit' | 'stop' | 'seccomp' | 'syscall'

/** A stop: WIFSTOPPED with its signal, and the ptrace event where it is one. */
export interface StopStatus {
  /** Tells a stop from an end and from a continuation. */
  readonly kind: 'stopped'
  /** The signal it stopped for; SIGTRAP at most events. */
  readonly signal: SignalName
  /** The ptrace event; left out at the stop for a signal, and at a group-stop. */
  readonly event?: StopEvent
}

/** What happened to a child: it ended, it stopped, or it was continued (WIFCONTINUED). */
export type WaitStatus = ExitStatus | StopStatus | { readonly kind: 'continued' }

const events = new Map<number, StopEvent>([
  [constants.PTRACE_EVENT_FORK, 'fork'],
  [constants.PTRACE_EVENT_VFORK, 'vfork'],
  [constants.PTRACE_EVENT_CLONE, 'clone'],
  [constants.PTRACE_EVENT_EXEC, 'exec'],
  [constants.PTRACE_EVENT_VFORK_DONE, 'vfork-done'],
  [constants.PTRACE_EVENT_EXIT, 'exit'],
  [constants.PTRACE_EVENT_SECCOMP, 'seccomp'],
  [constants.PTRACE_EVENT_STOP, 'stop'],
])

const sigtrap = 5

/**
 * The meaning of a raw wait status, `man 2 waitpid` and `man 2 ptrace`. Pure, and total: every number has an answer, taken as C takes it for an int.
 *
 * @example decodeWaitStatus(0x04057f) // { kind: 'stopped', signal: 'SIGTRAP', event: 'exec' }
 * @example decodeWaitStatus(0x0700)   // { kind: 'exited', code: 7, signal: null }
 */
export function decodeWaitStatus(raw: number): WaitStatus {
  if (typeof raw !== 'number') throw invalidType('raw', 'of type number', raw)
  const status = raw | 0
  if (status === 0xffff) return { kind: 'continued' }
  const low = status & 0x7f
  if (low === 0) return { kind: 'exited', code: (status >>> 8) & 0xff, signal: null }
  if ((status & 0xff) !== 0x7f) {
    return { kind: 'signaled', code: null, signal: signalName(low), coreDumped: (status & 0x80) !== 0 }
  }
  const stopSignal = (status >>> 8) & 0xff
  if (stopSignal === (sigtrap | 0x80)) return { kind: 'stopped', signal: 'SIGTRAP', event: 'syscall' }
  const event = events.get(status >>> 16)
  const signal = signalName(stopSignal)
  return event === undefined ? { kind: 'stopped', signal } : { kind: 'stopped', signal, event }
}

/** Whether a status is an end. */
export function isExit(status: WaitStatus): status is ExitStatus {
  return status.kind === 'exited' || status.kind === 'signaled'
}
