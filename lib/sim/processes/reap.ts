/** The very end of a process: who is told, and what is left until somebody has waited for it. */

import { removeFrom } from '../base/remove-from.ts'
import { SIGCHLD } from '../base/signal-numbers.ts'
import { childCodes, discardsChildren, sendToProcess, wakeParent } from './signals.ts'
import type { Task } from './task.ts'

/** SIGCHLD for an end, and the wake-up of waits: whether the parent wants the process to vanish. */
export function notifyParentOfEnd(task: Task, signal: number): boolean {
  const parent = task.reportsTo
  const ended = task.exitStatus
  const killedBy = ended & 0x7f
  const code = killedBy === 0 ? childCodes.exited : ended & 0x80 ? childCodes.dumped : childCodes.killed
  const status = killedBy === 0 ? (ended >>> 8) & 0xff : killedBy
  const vanishes = task.trace === null && signal === SIGCHLD && discardsChildren(parent)
  const ignored = vanishes && parent.handlerOf(SIGCHLD) === 'ignore'
  if (!ignored) sendToProcess(parent, signal, { code, pid: task.tid, uid: 0, status })
  wakeParent(parent)
  return vanishes
}

/** Nobody traces the task any more. */
export function endTrace(task: Task): void {
  const tracees = task.trace!.tracer.tracees
  removeFrom(tracees, task)
  task.trace = null
}

/** The last trace of a task is gone: its number is free. */
export function release(task: Task): void {
  const { kernel, process } = task
  kernel.trace.reaped?.(task)
  task.state = 'dead'
  if (task.trace !== null) endTrace(task)
  kernel.tasks.delete(task.tid)
  if (!task.isLeader) return
  kernel.processes.delete(process.id)
  removeFrom(process.parent.children, process)
}
