/** What a tracer does at a stop so that the tracee runs as if nobody traced it: signals passed on, group stops kept. ptrace(2). */

import { isErrno } from '../system/errors.ts'
import type { System } from '../system/system.ts'
import type { StopStatus } from '../system/wait-status.ts'
import type { Tracing } from './tracee.ts'

const stopSignals: ReadonlySet<string> = new Set(['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU'])

interface TracerState {
  readonly tracing: Tracing | null
  /** The PTRACE_O_* options in force. */
  readonly options: number
  /** Whether the stop comes of a step of ours. */
  readonly stepped: boolean
  /** Whether a SIGSTOP of ours, meant as an interruption, is on its way. */
  readonly interrupted: boolean
}

/** Lets a stopped tracee go on from `stop`; how it is traced from then on. */
export function passOnStop(system: System, pid: number, stop: StopStatus, state: TracerState): Tracing | null {
  if (stop.event === 'stop' && stopSignals.has(stop.signal)) {
    system.ptraceListen(pid)
  } else if (stop.event !== undefined) {
    system.ptraceCont(pid)
  } else if ((stop.signal === 'SIGTRAP' && state.stepped) || (stop.signal === 'SIGSTOP' && state.interrupted)) {
    system.ptraceCont(pid)
  } else if (state.tracing === 'traceme' && isGroupStop(system, pid, stop)) {
    // Only a seized tracee can be left in its group stop and still tell of its end. It is stopped throughout, and another
    // tracer cannot come between: nobody else may trace what it does not know.
    system.ptraceDetach(pid)
    system.ptraceSeize(pid, state.options)
    return 'seize'
  } else {
    system.ptraceCont(pid, stop.signal)
  }
  return state.tracing
}

/** Whether a stop that is no event is a group-stop: the stop of a process that a stop signal has stopped, not the one for the signal's delivery. */
export function isGroupStop(system: System, pid: number, stop: StopStatus): boolean {
  if (!stopSignals.has(stop.signal)) return false
  try {
    system.ptraceGetSigInfo(pid)
    return false
  } catch (error) {
    if (isErrno(error, 'EINVAL')) return true
    throw error
  }
}
