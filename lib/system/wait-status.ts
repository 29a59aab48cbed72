/** Wait statuses: the raw integer of waitpid(2), decoded into a union. */

import { invalidType } from './argument-errors.ts'
import { constants } from './constants.ts'
import { type SignalName, signalName, standardSignals } from './signals.ts'

/** How a process ended: WIFEXITED with its code, or WIFSIGNALED with its signal. */
export type ExitStatus =
  | { readonly kind: 'exited'; readonly code: number; readonly signal: null }
  | { readonly kind: 'signaled'; readonly code: null; readonly signal: SignalName; readonly coreDumped: boolean }

/** A ptrace stop without a signal: PTRACE_EVENT_*, or a system call's entry or exit (with PTRACE_O_TRACESYSGOOD). */
export type StopEvent = 'exec' | 'fork' | 'vfork' | 'vfork-done' | 'clone' | 'exit' | 'stop' | 'seccomp' | 'syscall'

/** Why a stop has the event 'stop'. */
export type StopReason =
  /** A new thread, or a followed child, before its first instruction. */
  | 'birth'
  /** interrupt(), PTRACE_INTERRUPT. */
  | 'interrupt'
  /** A stop signal has stopped the whole process; `signal` says which. */
  | 'group'
  /** SIGCONT has ended the group stop. */
  | 'continued'

/** What a breakpoint or a watched address has stopped for. */
export interface Trap {
  /** 'breakpoint': breakpoint(); 'watch': watch(). */
  readonly kind: 'breakpoint' | 'watch'
  /** The address of the breakpoint, which is the pc, or the watched address. */
  readonly address: bigint
  /** What was watched for. */
  readonly on?: 'execute' | 'write' | 'access'
}

/** A stop: WIFSTOPPED with its signal, the ptrace event if there is one, and the details of that event. */
export interface StopStatus<Child = object> {
  /** Distinguishes a stop from an end and from a continuation. */
  readonly kind: 'stopped'
  /** The signal of the stop; SIGTRAP at most events. */
  readonly signal: SignalName
  /** The ptrace event; absent at signal-delivery stops and group-stops. */
  readonly event?: StopEvent
  /** At 'exec': the number that the thread had before; the process's own if it was the main thread. */
  readonly formerTid?: number
  /** At 'fork', 'vfork' and 'clone': what was started, a TracedThread or a followed Tracee. */
  readonly child?: Child
  /** At 'exit': how the thread is about to end. */
  readonly exitStatus?: ExitStatus
  /** At 'seccomp': the data of the filter's SECCOMP_RET_TRACE. */
  readonly data?: number
  /** At 'syscall': the entry or the exit of the call. */
  readonly phase?: 'entry' | 'exit'
  /** At 'stop': why. */
  readonly reason?: StopReason
  /** At a breakpoint or a watched address: which. */
  readonly trap?: Trap
}

/** A child's state change: it ended, stopped, or was continued (WIFCONTINUED). */
export type WaitStatus<Child = object> = ExitStatus | StopStatus<Child> | { readonly kind: 'continued' }

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

/**
 * Decodes a raw wait status. Pure and total: every number decodes, converted as C converts it to an int.
 *
 * @see man 2 waitpid, man 2 ptrace
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
  if (stopSignal === (standardSignals.SIGTRAP | 0x80)) return { kind: 'stopped', signal: 'SIGTRAP', event: 'syscall' }
  const event = events.get(status >>> 16)
  const signal = signalName(stopSignal)
  return event === undefined ? { kind: 'stopped', signal } : { kind: 'stopped', signal, event }
}

/**
 * The raw wait status of a child's change as waitid(2) reports it: si_code (CLD_*) and si_status. The si_status of a
 * ptrace stop has the event in the bits above the signal.
 */
export function rawWaitStatus(code: number, status: number): number {
  switch (code) {
    case constants.CLD_EXITED:
      return (status & 0xff) << 8
    case constants.CLD_KILLED:
      return status & 0x7f
    case constants.CLD_DUMPED:
      return (status & 0x7f) | 0x80
    case constants.CLD_CONTINUED:
      return 0xffff
    default:
      return (status << 8) | 0x7f
  }
}

/** Whether a status is an end. */
export function isExit(status: WaitStatus): status is ExitStatus {
  if (typeof status !== 'object' || status === null) throw invalidType('status', 'of type object', status)
  return status.kind === 'exited' || status.kind === 'signaled'
}
