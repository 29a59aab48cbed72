/**
 * Leaves a tracee in state T without losing a signal: the signal of its stop, and every pending one, stays pending with
 * its siginfo.
 *
 * A signal sent anew would lose its siginfo. A pending signal might be delivered before the SIGSTOP and end the
 * process. So all signals are blocked for a moment. The kernel then requeues the signal of the stop by itself. Only
 * SIGSTOP gets through, before any instruction runs.
 */

import { isErrno } from '../../system/errors.ts'
import type { Signal } from '../../system/signals.ts'
import type { System } from '../../system/system.ts'
import type { StopStatus } from '../../system/wait-status.ts'
import type { NextChange } from './next-change.ts'
import { isGroupStop, ownSignal, stopSignals } from './pass-on.ts'

export const allSignals: readonly Signal[] = Array.from({ length: 64 }, (_, i) => i + 1)

/** An external SIGCONT drops a pending SIGSTOP: after this time without a stop, another SIGSTOP is sent. */
export const resendStopMs = 50

/** Detaches from a tracee at `stop`, so that SIGSTOP stops it at once. False where it was killed: it stays a tracee. */
export async function leaveStopped(system: System, pid: number, stop: StopStatus, next: NextChange): Promise<boolean> {
  try {
    const isDelivery = stop.event === undefined && !isGroupStop(system, pid, stop)
    if (isDelivery && stop.signal === 'SIGSTOP') {
      system.ptraceDetach(pid, 'SIGSTOP')
      return true
    }
    if (isDelivery && stop.signal === 'SIGCONT') {
      // Requeued, SIGCONT would drop the SIGSTOP. Delivered, its handler is set up before the stop and runs after it.
      system.tgkill(pid, pid, 'SIGSTOP')
      system.ptraceDetach(pid, 'SIGCONT')
      return true
    }
    const mask = system.ptraceGetSigMask(pid)
    system.ptraceSetSigMask(pid, allSignals)
    // A group stop in force would be reported again before the thread re-enters it. SIGCONT ends it; SIGSTOP then drops
    // the SIGCONT.
    system.tgkill(pid, pid, 'SIGCONT')
    system.tgkill(pid, pid, 'SIGSTOP')
    // A stop signal is not requeued: the SIGSTOP already has its effect.
    system.ptraceCont(pid, isDelivery && !stopSignals.has(stop.signal) ? ownSignal(system, pid, stop) : 0)
    if (!(await untilSigstop(system, pid, pid, next))) return false
    system.ptraceSetSigMask(pid, mask)
    system.ptraceDetach(pid, 'SIGSTOP')
    return true
  } catch (error) {
    // Killed meanwhile: its exit is about to be reported.
    if (!isErrno(error, 'ESRCH')) throw error
    return false
  }
}

/** Waits for the delivery stop of SIGSTOP, resuming from any earlier stop; false when the process has ended. */
export async function untilSigstop(system: System, pid: number, tid: number, next: NextChange): Promise<boolean> {
  for (;;) {
    const status = await next.waitWithin(resendStopMs)
    if (status === undefined) system.tgkill(pid, tid, 'SIGSTOP')
    else if (status.kind !== 'stopped') return false
    else if (status.signal === 'SIGSTOP' && status.event === undefined && !isGroupStop(system, tid, status)) return true
    else system.ptraceCont(tid)
  }
}
