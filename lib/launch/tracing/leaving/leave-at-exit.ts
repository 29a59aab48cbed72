/**
 * Detaches, when Node exits, from processes that outlive it. Otherwise the kernel would detach. A breakpoint or a
 * watched address would then kill the program. A SIGSTOP of the library or of a birth would stop it for good.
 */

import { privateCallsOf } from '../../../system/private-calls.ts'
import type { System } from '../../../system/system.ts'
import type { StopStatus, WaitStatus } from '../../../system/wait-status.ts'
import { pause } from '../../base/pause.ts'
import { takeChanges } from '../../children/child-watch.ts'
import { interrupt } from '../tasks/halt.ts'
import type { Tracing } from '../tasks/options.ts'
import { isSignalDelivery } from '../tasks/pass-on.ts'
import type { Task } from '../tasks/task.ts'
import { goToSigstop, living, mayHaveTrapPending, unfinishedSignal } from './unfinished.ts'

/** A process that may outlive Node. */
export interface Survivor {
  readonly system: System
  readonly exitKill: boolean
  readonly tracing: Tracing | null
  readonly tasks: ReadonlyMap<number, Task>
  /** Set once no thread may run any more. */
  isLeaving: boolean
  prepareToLeave(isAtExit: true): void
}

/** Time for threads to stop while Node exits. */
const lastMs = 200

const survivors = new Set<Survivor>()

/** Detaches from a process when Node exits, unless it dies with Node. */
export function leaveAtExit(traced: Survivor): void {
  if (traced.exitKill) return
  if (survivors.size === 0) process.once('exit', leaveAll)
  survivors.add(traced)
}

/** The process has ended, or was detached. */
export function stayAtExit(traced: Survivor): void {
  if (survivors.delete(traced) && survivors.size === 0) process.off('exit', leaveAll)
}

function leaveAll(): void {
  for (const traced of survivors) {
    traced.isLeaving = true
    for (const task of traced.tasks.values()) if (!isInVfork(task)) interrupt(task, traced.tracing)
  }
  // The stops of one process may add others, which were born meanwhile.
  for (const traced of survivors) {
    const end = traced.system.now() + lastMs
    untilStopped(traced, end)
    traced.prepareToLeave(true)
    for (const task of living(traced)) if (task.isStopped) task.tolerateDeath(() => leave(task, end))
  }
}

function untilStopped(traced: Survivor, end: number): void {
  const { system } = traced
  const isRunning = (task: Task) => !task.isStopped && !task.hasEnded && !isInVfork(task)
  for (takeChanges(system); system.now() < end; takeChanges(system)) {
    if (!living(traced).some(isRunning)) return
    pause(system, 1)
  }
}

/** Whether a task waits for its vfork child, or is in another uninterruptible sleep. */
function isInVfork({ tid, owner, isStopped }: Task): boolean {
  return !isStopped && privateCallsOf(owner.system)?.taskOf?.(tid)?.state === 'D'
}

/** Detaches from a stopped task: takes out the signals that the library sent, and keeps all others. */
function leave(task: Task, end: number): void {
  const { system } = task.owner
  if (mayHaveTrapPending(task)) takeTrap(task, end)
  if (task.isSigstopDue) {
    do {
      const restore = goToSigstop(task)
      // A SIGCONT from outside has dropped the SIGSTOP; the program is to get it.
      const stop = until(task, end, each => each.signal === 'SIGCONT' || isSigstop(system, task.tid, each))
      if (stop !== undefined) restore()
      task.isSignalDropped = stop?.signal !== 'SIGCONT'
    } while (task.interruption.isSigstopPending() && system.now() < end)
  }
  system.ptraceDetach(task.tid, unfinishedSignal(task))
}

function isSigstop(system: System, tid: number, stop: StopStatus): boolean {
  return stop.signal === 'SIGSTOP' && isSignalDelivery(system, tid, stop)
}

/** Takes the stop for a pending trap. No instruction runs before it. */
function takeTrap(task: Task, end: number): void {
  task.owner.system.ptraceCont(task.tid)
  const stop = until(task, end, ({ signal }) => signal === 'SIGTRAP')
  if (stop === undefined) return
  task.isSignalDropped = false
  task.owner.correctPc(task, stop)
}

/** Resumes a task from its stops until `isIt` accepts a stop that is not an event. */
function until(task: Task, end: number, isIt: (stop: StopStatus) => boolean): StopStatus | undefined {
  const { system } = task.owner
  for (;;) {
    const status = next(system, task, end)
    if (status?.kind !== 'stopped') return undefined
    if (status.event === undefined && isIt(status)) return status
    system.ptraceCont(task.tid)
  }
}

/** The next change of a resumed task; undefined if there is none in time. */
function next(system: System, task: Task, end: number): WaitStatus | undefined {
  const seen: WaitStatus[] = []
  task.interceptor = status => seen.push(status) > 0
  try {
    for (task.watched.check(); seen.length === 0 && system.now() < end; task.watched.check()) pause(system, 1)
  } finally {
    task.interceptor = null
  }
  return seen[0]
}
