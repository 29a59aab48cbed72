/** The very end of a process: the parent's notification, and the release of its number. */

import { removeFrom } from '../base/remove-from.ts'
import { SIGCHLD } from '../base/signal-numbers.ts'
import type { Process } from './process.ts'
import { childCodes, discardsChildren, sendToProcessOf, wakeParent } from './signals.ts'
import type { Task } from './task.ts'

/** Sends SIGCHLD for an end and wakes waits; whether the parent discards its children, so that this one vanishes. */
export function notifyParentOfEnd(task: Task, signal: number): boolean {
  const parent = task.reportsTo
  const ended = task.exitStatus
  const killedBy = ended & 0x7f
  const code = killedBy === 0 ? childCodes.exited : ended & 0x80 ? childCodes.dumped : childCodes.killed
  const status = killedBy === 0 ? (ended >>> 8) & 0xff : killedBy
  const vanishes = task.trace === null && signal === SIGCHLD && discardsChildren(parent)
  const ignored = vanishes && parent.handlerOf(SIGCHLD) === 'ignore'
  const receiver = task.trace?.tracer ?? task.parentThread
  if (!ignored) sendToProcessOf(receiver, signal, { code, pid: task.tid, uid: 0, status })
  wakeParent(parent)
  return vanishes
}

/** Removes the link between the task and its tracer, and nothing more. */
export function unlinkFromTracer(task: Task): void {
  removeFrom(task.trace!.tracer.tracees, task)
  task.trace = null
}

/**
 * Goes on with what waited for a released thread: an execve(2) of another thread, and the report of the end of a leader
 * that ended before its threads.
 */
function afterThread({ execTask, leader, unreaped, exitSignal }: Process): void {
  execTask?.wake()
  if (leader.state !== 'zombie' || unreaped.length > 1) return
  leader.process.tellPidfds()
  if (notifyParentOfEnd(leader, exitSignal)) release(leader)
}

/** Removes a task for good and frees its number. */
export function release(task: Task): void {
  const { kernel, process } = task
  kernel.trace.reaped?.(task)
  task.state = 'dead'
  if (task.trace !== null) unlinkFromTracer(task)
  kernel.tasks.delete(task.tid)
  removeFrom(process.unreaped, task)
  if (!task.isLeader) {
    afterThread(process)
    return
  }
  kernel.processes.delete(process.id)
  removeFrom(process.parent.children, process)
  process.tellPidfds()
}
