/** What a task that is about to be detached has not finished: a signal, a trap, a SIGSTOP of the library. */

import type { Signal } from '../../../system/signals.ts'
import { stopSignals } from '../../base/stop-signals.ts'
import { isSignalDelivery, ownSignal } from '../tasks/pass-on.ts'
import type { Task } from '../tasks/task.ts'
import { isTrapPending } from '../tasks/traps.ts'
import { otherSignals } from './leave-stopped.ts'

export function living(process: { readonly tasks: ReadonlyMap<number, Task> }): Task[] {
  return [...process.tasks.values()].filter(task => !task.hasEnded)
}

/** The signal of the stop, which is not delivered yet; 0 if there is none. */
export function unfinishedSignal(task: Task): Signal {
  const { at, tid, isSignalDropped } = task
  const { system } = task.owner
  if (at === null || isSignalDropped) return 0
  return isSignalDelivery(system, tid, at) ? ownSignal(system, tid, at) : 0
}

/** Whether the trap of a breakpoint or a step is pending at a stop of another kind: it would kill the program. */
export function mayHaveTrapPending(task: Task): boolean {
  const { at, tid, isSignalDropped, owner } = task
  if (at === null || (at.event === undefined && !isSignalDropped)) return false
  let isPending = false
  task.tolerateDeath(() => {
    isPending = isTrapPending(owner.system, tid)
  })
  return isPending
}

/** Resumes a task towards the stop of a SIGSTOP; returns the function to call at that stop. */
export function goToSigstop(task: Task): () => void {
  const { system, pid } = task.owner
  const { tid } = task
  const signal = unfinishedSignal(task)
  // Requeued, a SIGCONT would drop the SIGSTOP. Delivered, its handler is set up before the stop and runs after it.
  const isContinued = signal === 'SIGCONT'
  const mask = system.ptraceGetSigMask(tid)
  if (!isContinued) system.ptraceSetSigMask(tid, otherSignals)
  system.tgkill(pid, tid, 'SIGSTOP')
  system.ptraceCont(tid, typeof signal === 'string' && stopSignals.has(signal) ? 0 : signal)
  return () => {
    if (!isContinued) system.ptraceSetSigMask(tid, mask)
  }
}
