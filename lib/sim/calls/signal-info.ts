/** siginfo_t of signals: of the one a tracee stopped for, of pending ones, and of signals queued with one. */

import { constants } from '../../system/constants.ts'
import { decodeSiginfo, encodeSiginfo, hasKnownLayout, type SignalInfo } from '../../system/siginfo.ts'
import { E2BIG, EINVAL, EPERM, ESRCH } from '../base/results.ts'
import type { PendingSignal, SignalOrigin } from '../processes/pending-signals.ts'
import type { Task } from '../processes/task.ts'
import { stoppedTracee } from '../processes/tracing.ts'
import { signalThread } from './kill.ts'

const { PTRACE_PEEKSIGINFO_SHARED, SI_TKILL } = constants

/** sizeof(kernel_siginfo_t): the kernel keeps no more of a siginfo_t. */
const keptBytes = 48

/** PTRACE_GETSIGINFO. A group-stop has no siginfo. */
export function signalInfo(task: Task, tid: number): SignalInfo | number {
  const tracee = stoppedTracee(task, tid)
  if (tracee === undefined) return -ESRCH
  return tracee.stopInfo === null ? -EINVAL : infoOf(tracee.stopInfo, tracee)
}

function infoOf({ signal, origin }: PendingSignal, tracee: Task): SignalInfo {
  const address = tracee.process.memory.programCounter
  return decodeSiginfo(origin.bytes?.slice() ?? encodeSiginfo({ ...origin, signal, address }))
}

/** PTRACE_SETSIGINFO. */
export function setSignalInfo(task: Task, tid: number, siginfo: Uint8Array): number {
  const tracee = stoppedTracee(task, tid)
  if (tracee === undefined) return -ESRCH
  const given = pendingOf(siginfo)
  if (typeof given === 'number') return given
  if (tracee.stopInfo === null) return -EINVAL
  tracee.stopInfo = given
  return 0
}

/** PTRACE_PEEKSIGINFO. */
export function peekSignals(
  task: Task,
  tid: number,
  offset: number,
  count: number,
  flags: number,
): SignalInfo[] | number {
  const tracee = stoppedTracee(task, tid)
  if (tracee === undefined) return -ESRCH
  if (flags & ~PTRACE_PEEKSIGINFO_SHARED) return -EINVAL
  const { pending } = flags === 0 ? tracee : tracee.process
  return pending
    .queued()
    .slice(offset, offset + count)
    .map(each => infoOf(each, tracee))
}

/** rt_tgsigqueueinfo(2). */
export function queueForThread(task: Task, pid: number, tid: number, siginfo: Uint8Array): number {
  const given = pendingOf(siginfo)
  if (typeof given === 'number') return given
  if (pid <= 0 || tid <= 0) return -EINVAL
  const { signal, origin } = given
  if ((origin.code >= 0 || origin.code === SI_TKILL) && tid !== task.tid) return -EPERM
  return signalThread(task, pid, tid, signal, origin)
}

/** si_signo of a siginfo_t; 0 if its memory was taken away since it was checked. */
export function signalIn(siginfo: Uint8Array): number {
  return siginfo.length < 4 ? 0 : new DataView(siginfo.buffer, siginfo.byteOffset).getInt32(0, true)
}

/** A signal by its siginfo_t; -E2BIG if that has more than the kernel would keep. */
function pendingOf(siginfo: Uint8Array): PendingSignal | number {
  const view = new DataView(siginfo.buffer, siginfo.byteOffset, siginfo.length)
  const signal = signalIn(siginfo)
  const code = view.getInt32(8, true)
  if (!hasKnownLayout(signal, code) && siginfo.subarray(keptBytes).some(byte => byte !== 0)) return -E2BIG
  const bytes = siginfo.slice()
  bytes.fill(0, keptBytes)
  const origin: SignalOrigin = { code, pid: view.getInt32(16, true), uid: view.getUint32(20, true), bytes }
  return { signal, origin }
}
