/**
 * Leaves a tracee in state T without losing a signal: the signal of its stop, and every pending one, stays pending with
 * its siginfo.
 *
 * A signal sent anew would lose its siginfo. A pending signal might be delivered before the SIGSTOP and end the
 * process. So all signals are blocked for a moment. The kernel then requeues the signal of the stop by itself. Only
 * SIGSTOP gets through, before any instruction runs.
 */

import { constants } from '../../../system/constants.ts'
import { isErrno } from '../../../system/errors.ts'
import { type Signal, standardSignals } from '../../../system/signals.ts'
import type { System } from '../../../system/system.ts'
import type { StopStatus } from '../../../system/wait-status.ts'
import { stopSignals } from '../../base/stop-signals.ts'
import { resendMs } from '../tasks/halt.ts'
import { mostPending } from '../tasks/interruption.ts'
import type { NextChange } from '../tasks/next-change.ts'
import { isSignalDelivery, ownSignal } from '../tasks/pass-on.ts'

const { PTRACE_PEEKSIGINFO_SHARED } = constants

/** All but SIGCONT: a SIGCONT from outside drops the SIGSTOP, and its own stop must come in place of that. */
export const otherSignals: readonly Signal[] = Array.from({ length: 64 }, (_, i) => i + 1).filter(
  signal => signal !== standardSignals.SIGCONT,
)

/**
 * Prepares a tracee at `stop` for a detach that leaves it stopped. Resolves with the signal to detach with, undefined
 * where it was killed: it stays a tracee.
 */
export async function prepareToStop(
  system: System,
  pid: number,
  stop: StopStatus,
  next: NextChange,
): Promise<'SIGSTOP' | 'SIGCONT' | undefined> {
  try {
    const isDelivery = isSignalDelivery(system, pid, stop)
    if (isDelivery && stop.signal === 'SIGSTOP') return 'SIGSTOP'
    if (isDelivery && stop.signal === 'SIGCONT') {
      // Requeued, SIGCONT would drop the SIGSTOP. Delivered, its handler is set up before the stop and runs after it.
      system.tgkill(pid, pid, 'SIGSTOP')
      return 'SIGCONT'
    }
    const mask = system.ptraceGetSigMask(pid)
    system.ptraceSetSigMask(pid, otherSignals)
    // A group stop in force would be reported again before the thread re-enters it. SIGCONT ends it; SIGSTOP then drops
    // the SIGCONT.
    system.tgkill(pid, pid, 'SIGCONT')
    system.tgkill(pid, pid, 'SIGSTOP')
    // A stop signal is not requeued: the SIGSTOP already has its effect.
    system.ptraceCont(pid, isDelivery && !stopSignals.has(stop.signal) ? ownSignal(system, pid, stop) : 0)
    if ((await untilSigstop(system, pid, pid, next)) === undefined) return undefined
    system.ptraceSetSigMask(pid, mask)
    return 'SIGSTOP'
  } catch (error) {
    // Killed meanwhile: its exit is about to be reported.
    if (!isErrno(error, 'ESRCH')) throw error
    return undefined
  }
}

/**
 * Waits for the stop of SIGSTOP, or that of a SIGCONT if `enough` says so; undefined if the process has ended.
 *
 * A SIGCONT drops a pending SIGSTOP, and ends the effect of a delivered one. To go on from its stop, another SIGSTOP is
 * sent first, which in turn drops the SIGCONT: without it the program would run.
 */
export async function untilSigstop(
  system: System,
  pid: number,
  tid: number,
  next: NextChange,
  enough?: 'SIGCONT',
): Promise<'SIGSTOP' | 'SIGCONT' | undefined> {
  for (;;) {
    const status = await next.waitWithin(resendMs)
    if (status !== undefined) {
      if (status.kind !== 'stopped') return undefined
      const { event, signal } = status
      if (event === undefined && signal === enough) return enough
      const isSigstop = signal === 'SIGSTOP' && isSignalDelivery(system, tid, status)
      if (isSigstop && (enough !== undefined || !isSigcontPending(system, tid))) return signal
    }
    system.tgkill(pid, tid, 'SIGSTOP')
    if (status !== undefined) system.ptraceCont(tid)
  }
}

function isSigcontPending(system: System, tid: number): boolean {
  const isPending = (flags: number) =>
    system.ptracePeekSigInfo(tid, 0, mostPending, flags).some(({ signal }) => signal === 'SIGCONT')
  return isPending(PTRACE_PEEKSIGINFO_SHARED) || isPending(0)
}
