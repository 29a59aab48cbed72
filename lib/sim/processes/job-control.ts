/**
 * Stopping and continuing whole processes: the group stops of signal(7) and ptrace(2).
 *
 * A stop signal stops every thread; the parent is notified when the last one has stopped. A traced thread traps for its
 * tracer instead, which may let it run while the group stays stopped.
 */

import { SIGCHLD, SIGCONT } from '../base/signal-numbers.ts'
import type { Process } from './process.ts'
import { childCodes, getsSigchldForStops, sendToProcessOf, trapNotify, wakeForSignal, wakeParent } from './signals.ts'
import type { Task } from './task.ts'

/** Begins a group stop for `signal`, or joins the current one. False if the task goes on; a traced one traps next. */
export function* stopForGroup(task: Task, signal: number): Generator<void, boolean, void> {
  const { process, jobControl } = task
  if (!jobControl.stopPending) {
    // A SIGCONT sent after the stop signal was dequeued cancels the stop.
    if (!jobControl.stopDequeued || process.groupExit !== null) return false
    if (!process.stopped) process.stopSignal = signal
    process.stoppingThreads = 0
    for (const thread of [task, ...process.tasks.filter(other => other !== task && other.state !== 'stopped')]) {
      if (!setStopPending(thread, signal)) continue
      process.stoppingThreads++
      if (thread === task) continue
      if (thread.trace?.seized) trapNotify(thread)
      else wakeForSignal(thread)
    }
  }
  if (task.trace !== null) {
    jobControl.trapStop = true
    return false
  }
  const complete = takePartInStop(task)
  task.kernel.park(task, 'stopped', process.stopSignal)
  if (complete) notifyParentOfStop(task, false, 'stopped')
  yield
  task.kernel.trace.goesOn?.(task)
  return true
}

/** Counts the task as stopped; whether that completes a new group stop. */
export function takePartInStop(task: Task): boolean {
  const { process, jobControl } = task
  const counted = jobControl.stopConsume
  jobControl.clearStop()
  if (!counted) return false
  if (process.stoppingThreads > 0) process.stoppingThreads--
  if (process.stoppingThreads > 0 || process.stopped) return false
  process.setStopState('stopped')
  return true
}

/**
 * Stops a new thread along with its stopping or stopped process. Its creator can run in such a process because a tracer
 * has resumed it.
 */
export function joinGroupStop(task: Task, creator: Task): void {
  const { process, jobControl } = task
  if (process.stoppingThreads > 0) {
    process.stoppingThreads++
    jobControl.stopConsume = true
  } else if (!process.stopped) return
  jobControl.stopSignal = creator.jobControl.stopSignal
  jobControl.stopPending = true
  task.signalPending = true
}

function setStopPending(task: Task, signal: number): boolean {
  if (task.killed || task.exiting) return false
  const { jobControl } = task
  jobControl.stopSignal = signal
  jobControl.stopPending = true
  jobControl.stopConsume = true
  return true
}

/** Sends SIGCHLD for a stop, a trap or a continuation to the tracer or the real parent, and wakes its waits. */
export function notifyParentOfStop(task: Task, tracer: boolean, why: 'stopped' | 'trapped' | 'continued'): void {
  const about = tracer ? task : task.process.leader
  const parent: Process = tracer ? task.reportsTo : task.process.parent
  const status =
    why === 'continued' ? SIGCONT : why === 'trapped' ? task.stopCode & 0x7f : task.process.stopSignal & 0x7f
  const receiver = (tracer ? task.trace?.tracer : undefined) ?? task.parentThread
  if (getsSigchldForStops(parent))
    sendToProcessOf(receiver, SIGCHLD, { code: childCodes[why], pid: about.tid, uid: 0, status })
  wakeParent(parent)
}

/** Whether no member has a parent in another group of the session. Job control signals then do not stop the group. */
export function isOrphanedGroup(process: Process, leaving?: Process): boolean {
  const { kernel, group } = process
  kernel.trace.groupsUsed?.()
  for (const member of kernel.processes.values()) {
    if (member.group !== group || member === leaving || member.tasks.length === 0 || member.parent === kernel.init)
      continue
    if (member.parent.group !== group && member.parent.session === member.session) return false
  }
  return true
}
