/**
 * How a tracer handles a stop so that the tracee runs as if untraced: it delivers signals and keeps group stops. See
 * ptrace(2).
 */

import { isErrno } from '../../../system/errors.ts'
import type { Signal } from '../../../system/signals.ts'
import type { System } from '../../../system/system.ts'
import type { StopStatus } from '../../../system/wait-status.ts'
import { stopSignals } from '../../base/stop-signals.ts'
import { isKernelTrap } from './traps.ts'

interface TracerState {
  /** Whether the tracer resumed the tracee with a single step. */
  readonly stepped: boolean
  /** Whether the SIGSTOP of the stop is that of an interrupt or of a birth. */
  readonly isSignalDropped: boolean
}

/**
 * How to leave a stop:
 *
 * - 'go': resume without a signal.
 * - 'deliver': resume with the signal of the stop.
 * - 'listen': keep the group stop of a seized tracee, by PTRACE_LISTEN.
 * - 'stay': keep any other group stop, by not resuming the tracee.
 */
export type Passage = 'go' | 'deliver' | 'listen' | 'stay'

export function passageFrom(system: System, pid: number, stop: StopStatus, state: TracerState): Passage {
  if (stop.event === 'stop' && stopSignals.has(stop.signal)) return 'listen'
  if (stop.event !== undefined) return 'go'
  if (stop.signal === 'SIGTRAP' && state.stepped) return 'go'
  if (isGroupStop(system, pid, stop)) return 'stay'
  return stop.signal === 'SIGSTOP' && state.isSignalDropped ? 'go' : 'deliver'
}

/**
 * The signal to deliver after a signal-delivery stop. 0 for a SIGTRAP from the kernel, which a step or a breakpoint
 * causes.
 */
export function ownSignal(system: System, pid: number, { signal }: StopStatus): Signal {
  return signal === 'SIGTRAP' && isKernelTrap(system.ptraceGetSigInfo(pid)) ? 0 : signal
}

/** Whether a stop without an event is a group stop, and not the stop for the delivery of a stop signal. */
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

/** Whether a stop is a signal-delivery stop: the request that resumes from it delivers a signal. */
export function isSignalDelivery(system: System, pid: number, stop: StopStatus): boolean {
  return stop.event === undefined && !isGroupStop(system, pid, stop)
}
