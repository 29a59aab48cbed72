/** What a tracer does at a stop so that the tracee runs as if it were not traced: signals passed on, group stops kept. ptrace(2). */

import { isErrno } from '../system/errors.ts'
import type { Signal } from '../system/signals.ts'
import type { System } from '../system/system.ts'
import type { StopStatus } from '../system/wait-status.ts'

export const stopSignals: ReadonlySet<string> = new Set(['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU'])

interface TracerState {
  /** Whether the stop comes of a step of ours. */
  readonly stepped: boolean
  /** Whether a SIGSTOP of ours, meant as an interruption, is on its way. */
  readonly interrupted: boolean
}

/**
 * What is to be done at a stop: 'go' on without a signal, 'deliver' the one of the stop, or keep the group stop, by 'listen' where the
 * tracee is seized, else by letting it 'stay' in its ptrace stop.
 */
export type Passage = 'go' | 'deliver' | 'listen' | 'stay'

export function passageFrom(system: System, pid: number, stop: StopStatus, state: TracerState): Passage {
  if (stop.event === 'stop' && stopSignals.has(stop.signal)) return 'listen'
  if (stop.event !== undefined) return 'go'
  if (stop.signal === 'SIGTRAP' && state.stepped) return 'go'
  if (isGroupStop(system, pid, stop)) return 'stay'
  return stop.signal === 'SIGSTOP' && state.interrupted ? 'go' : 'deliver'
}

/** The signal of a signal-delivery stop as the program is to get it: 0 for a trap of the kernel's, which is a step's or a breakpoint's. */
export function ownSignal(system: System, pid: number, { signal }: StopStatus): Signal {
  return signal === 'SIGTRAP' && system.ptraceGetSigInfo(pid).code > 0 ? 0 : signal
}

/** Whether a stop that is no event is a group-stop: the stop of a process that a stop signal has stopped, not the one for the signal's delivery. */
export function isGroupStop(system: System, pid: number, stop: StopStatus): boolean {
  if (stop.event !== undefined || !stopSignals.has(stop.signal)) return false
  try {
    system.ptraceGetSigInfo(pid)
    return false
  } catch (error) {
    if (isErrno(error, 'EINVAL')) return true
    throw error
  }
}
