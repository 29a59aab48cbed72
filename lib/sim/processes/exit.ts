/** The end of a thread and of a process, exit(3), and its notices to tracer, parent, children and group. */

import { constants } from '../../system/constants.ts'
import { removeFrom } from '../base/remove-from.ts'
import { SIGCHLD, SIGCONT, SIGHUP } from '../base/signal-numbers.ts'
import { isOrphanedGroup } from './job-control.ts'
import type { Process } from './process.ts'
import { traceEvent } from './ptrace-stop.ts'
import { notifyParentOfEnd, release } from './reap.ts'
import { killThreads, sendToProcess } from './signals.ts'
import type { Task } from './task.ts'
import { detachTracees } from './tracing.ts'

/** Ends the whole process with a wait status, unless its end was decided before. */
export function* exitProcess(task: Task, status: number): Generator<void, void, void> {
  killThreads(task.process, status, task)
  yield* exitTask(task, task.process.groupExit ?? status)
}

/** Ends one thread; the last one ends the process. */
export function* exitTask(task: Task, status: number): Generator<void, void, void> {
  const { process, kernel } = task
  yield* traceEvent(task, constants.PTRACE_EVENT_EXIT, status)
  task.exiting = true
  task.exitStatus = status
  task.frames.length = 0
  const last = process.tasks.length === 1
  kernel.trace.exiting?.(task, status)
  // As on Linux, other tasks can find the descriptors closed while the process has not yet ended.
  if (last) {
    process.descriptors.closeAll()
    yield
  }
  removeFrom(process.tasks, task)
  kernel.park(task, 'zombie', status)
  task.joiners?.wakeAll(0)
  detachTracees(task)
  leaveChildren(task)
  if (last) {
    process.leader.exitStatus = process.groupExit ?? status
    hangUpOrphanedGroup(process, process.parent, process)
  }
  announceEnd(task, last)
}

/** Notifies the tracer or parent of a thread's end; a thread that neither has to wait for is released. */
function announceEnd(task: Task, last: boolean): void {
  const { process } = task
  if (task.trace !== null) {
    const own = task.isLeader && last && !task.hasForeignTracer
    if (notifyParentOfEnd(task, own ? process.exitSignal : SIGCHLD)) release(task)
    if (!task.isLeader && last) leaderMayFollow(process)
  } else if (task.isLeader) {
    if (last && notifyParentOfEnd(task, process.exitSignal)) release(task)
  } else {
    release(task)
    if (last) leaderMayFollow(process)
  }
}

/** The leader ended before the last thread. Its end can be waited for only now. */
function leaderMayFollow(process: Process): void {
  const { leader } = process
  if (leader.state === 'zombie' && notifyParentOfEnd(leader, process.exitSignal)) release(leader)
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
    const ended = leader.trace === null && leader.state === 'zombie' && child.tasks.length === 0
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
    for (const member of members) sendToProcess(member, signal, { code: 0x80, pid: 0, uid: 0 })
  }
}
