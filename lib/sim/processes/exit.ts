/** The end of a thread and of a process, exit(3), and its notices to tracer, parent, children and group. */

import { constants } from '../../system/constants.ts'
import { removeFrom } from '../base/remove-from.ts'
import { SIGCHLD, SIGCONT, SIGHUP } from '../base/signal-numbers.ts'
import { isOrphanedGroup, notifyParentOfStop, takePartInStop } from './job-control.ts'
import { fromKernel } from './pending-signals.ts'
import type { Process } from './process.ts'
import { traceEvent } from './ptrace-stop.ts'
import { notifyParentOfEnd, release } from './reap.ts'
import { killThreads, sendToProcess, wakeForSignal } from './signals.ts'
import type { Task } from './task.ts'
import { detachTracees } from './tracing.ts'
import { endVfork } from './vfork.ts'

/** Ends the whole process with a wait status, unless its end was decided before. */
export function* exitProcess(task: Task, status: number): Generator<void, void, void> {
  killThreads(task.process, status, task)
  yield* exitTask(task, task.process.groupExit ?? status)
}

/** Ends one thread; the last one ends the process. */
export function* exitTask(task: Task, status: number): Generator<void, void, void> {
  const { process, kernel } = task
  task.leaving = true
  if (process.groupExit === null && process.tasks.every(thread => thread.leaving)) decideEnd(process, status)
  yield* traceEvent(task, constants.PTRACE_EVENT_EXIT, status)
  task.exiting = true
  task.exitStatus = status
  task.frames.length = 0
  const last = process.tasks.length === 1
  kernel.trace.exiting?.(task, status)
  if (!last && process.groupExit === null) leaveSignals(task)
  // As on Linux, other tasks can find the descriptors closed while the process has not yet ended.
  if (last) {
    process.descriptors.closeAll()
    yield
  }
  endVfork(task)
  removeFrom(process.tasks, task)
  kernel.park(task, 'zombie', status)
  task.joiners?.wakeAll(0)
  detachTracees(task)
  leaveChildren(task)
  if (last) hangUpOrphanedGroup(process, process.parent, process)
  announceEnd(task)
  process.execTask?.wake()
}

/** The last thread's status is the process's, whatever the others ended with. */
function decideEnd(process: Process, status: number): void {
  process.groupExit = status
  process.endedBy ??= process.kernel.acting.process
  process.stoppingThreads = 0
}

/**
 * Signals of the process that the thread would have taken are left to the others; a group stop counts it as stopped.
 */
function leaveSignals(task: Task): void {
  const { process, jobControl } = task
  for (const thread of process.tasks) {
    if (thread.exiting || thread.signalPending || !process.pending.anyOutside(thread.mask)) continue
    wakeForSignal(thread)
  }
  if (jobControl.stopPending && takePartInStop(task)) notifyParentOfStop(task, false, 'stopped')
}

/** Notifies the tracer or parent of a thread's end; a thread that neither has to wait for is released. */
function announceEnd(task: Task): void {
  const { process } = task
  const isAlone = process.unreaped.length === 1
  if (isAlone) process.tellPidfds()
  if (task.trace !== null) {
    const own = task.isLeader && isAlone && !task.hasForeignTracer
    if (notifyParentOfEnd(task, own ? process.exitSignal : SIGCHLD)) release(task)
  } else if (!task.isLeader) {
    release(task)
  } else if (isAlone && notifyParentOfEnd(task, process.exitSignal)) {
    release(task)
  }
}

/** Gives the children of an ending thread to another thread of its process, or to init. */
function leaveChildren(task: Task): void {
  const { process, kernel } = task
  const heir = process.tasks.find(thread => !thread.exiting)
  for (const child of [...process.children]) {
    if (child.leader.parentTask !== task && heir !== undefined) continue
    kernel.trace.processUsed?.(child)
    for (const thread of child.tasks) {
      thread.parentTask = heir ?? null
      if (thread.deathSignal !== 0) sendToProcess(child, thread.deathSignal, { code: 0, pid: 0, uid: 0 })
    }
    if (heir !== undefined) continue
    removeFrom(process.children, child)
    child.parent = kernel.init
    kernel.init.children.push(child)
    child.exitSignal = SIGCHLD
    const { leader } = child
    const ended = leader.trace === null && leader.state === 'zombie' && child.unreaped.length === 1
    if (ended && notifyParentOfEnd(leader, SIGCHLD)) release(leader)
    hangUpOrphanedGroup(child, process)
  }
}

/** A stopped group that becomes orphaned gets SIGHUP and SIGCONT: no shell is left to continue it. */
function hangUpOrphanedGroup(process: Process, parent: Process, leaving?: Process): void {
  if (parent.group === process.group || parent.session !== process.session) return
  const members = [...process.kernel.processes.values()].filter(member => member.group === process.group)
  if (!members.some(member => member.stopped) || !isOrphanedGroup(process, leaving)) return
  for (const signal of [SIGHUP, SIGCONT]) {
    for (const member of members) sendToProcess(member, signal, { code: fromKernel, pid: 0, uid: 0 })
  }
}
