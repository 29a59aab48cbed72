/**
 * Leaving a tracee in state T with nothing lost: every signal that it stopped for or that is pending stays pending, with its siginfo.
 *
 * A signal sent anew would lose its siginfo, and one that is pending might be delivered before the SIGSTOP and end the process. So all signals are
 * blocked for a moment: the kernel then queues the one of the stop again by itself, and only SIGSTOP gets through, before any instruction runs.
 */

import { isErrno } from '../system/errors.ts'
import type { Signal } from '../system/signals.ts'
import type { System } from '../system/system.ts'
import type { StopStatus } from '../system/wait-status.ts'
import type { NextChange } from './next-change.ts'
import { isGroupStop, ownSignal, stopSignals } from './pass-on.ts'

const allSignals: readonly Signal[] = Array.from({ length: 64 }, (_, i) => i + 1)

/** SIGCONT from outside drops a SIGSTOP that is pending: after this time without a stop another one is sent. */
export const resendStopMs = 50

/** Detaches from a tracee at `stop`, so that it stops for SIGSTOP at once. Resolves too when it was killed. */
export async function leaveStopped(system: System, pid: number, stop: StopStatus, next: NextChange): Promise<void> {
  try {
    const isDelivery = stop.event === undefined && !isGroupStop(system, pid, stop)
    if (isDelivery && stop.signal === 'SIGSTOP') return system.ptraceDetach(pid, 'SIGSTOP')
    if (isDelivery && stop.signal === 'SIGCONT') {
      // Queued again it would drop the SIGSTOP. Delivered, its handler comes to stand before the stop, and runs after it.
      system.tgkill(pid, pid, 'SIGSTOP')
      return system.ptraceDetach(pid, 'SIGCONT')
    }
    const mask = system.ptraceGetSigMask(pid)
    system.ptraceSetSigMask(pid, allSignals)
    // A group stop in force would be told once more before the thread is in it again. SIGCONT ends it; SIGSTOP then drops the SIGCONT.
    system.tgkill(pid, pid, 'SIGCONT')
    system.tgkill(pid, pid, 'SIGSTOP')
    // Stop signals are not kept: leaving it stopped is what they would do.
    system.ptraceCont(pid, isDelivery && !stopSignals.has(stop.signal) ? ownSignal(system, pid, stop) : 0)
    if (!(await untilSigstop(system, pid, next))) return
    system.ptraceSetSigMask(pid, mask)
    system.ptraceDetach(pid, 'SIGSTOP')
  } catch (error) {
    // Killed meanwhile: its end is on its way.
    if (!isErrno(error, 'ESRCH')) throw error
  }
}

/** Waits for the stop before the delivery of SIGSTOP, passing over whatever stop comes before it; false when the process has ended. */
async function untilSigstop(system: System, pid: number, next: NextChange): Promise<boolean> {
  for (;;) {
    const status = await next.waitWithin(resendStopMs)
    if (status === undefined) system.tgkill(pid, pid, 'SIGSTOP')
    else if (status.kind !== 'stopped') return false
    else if (status.signal === 'SIGSTOP' && status.event === undefined && !isGroupStop(system, pid, status)) return true
    else system.ptraceCont(pid)
  }
}
