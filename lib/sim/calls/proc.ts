/** Facts of tasks that Linux shows in /proc and by pidfds, for the host's private calls. */

import type { TaskFacts } from '../../system/private-calls.ts'
import { EBADF, EINVAL, ESRCH } from '../base/results.ts'
import { isValidSignal } from '../base/signal-numbers.ts'
import { Pidfd } from '../processes/pidfd.ts'
import { isExecStop } from '../processes/ptrace-stop.ts'
import type { Task } from '../processes/task.ts'
import { findTask } from '../processes/tracing.ts'
import { kill } from './kill.ts'

/** /proc/TID/stat; null without such a task. */
export function taskFacts(task: Task, tid: number): TaskFacts | null {
  const found = findTask(task, tid)
  if (found === undefined) return null
  const { process, exitStatus } = found
  const tracer = found.trace?.tracer.tid ?? 0
  const threads = process.unreaped.length
  const state = stateOf(found)
  const memoryMark = process.tasks.length === 0 ? 0 : process.memory.mark
  return { process: process.id, parent: process.parent.id, tracer, state, threads, exitStatus, memoryMark }
}

/** /proc/PID/task: the threads that are not reaped; null without such a process. */
export function threadsOf(task: Task, pid: number): number[] | null {
  const found = findTask(task, pid)
  return found === undefined ? null : found.process.unreaped.map(({ tid }) => tid)
}

/** Whether a task is being killed, has ended, or is in an exec; true without such a task. */
export function isEndingOrExecing(task: Task, tid: number): boolean {
  const found = findTask(task, tid)
  return found === undefined || found.killed || found.exiting || found.state === 'zombie' || isInExec(found)
}

/** /proc/TID/syscall: whether a task waits in an exec, or is at its event. */
export function isExecing(task: Task, tid: number): boolean {
  const found = findTask(task, tid)
  return found !== undefined && isInExec(found)
}

/** pidfd_send_signal(2), to the process or to the group that it leads. */
export function sendByPidfd(task: Task, fd: number, signal: number, toGroup: boolean): number {
  const file = task.process.descriptors.get(fd)
  if (!(file instanceof Pidfd)) return -EBADF
  if (!isValidSignal(signal)) return -EINVAL
  task.kernel.trace.processUsed?.(file.process)
  const pid = file.process.id
  if (toGroup) return kill(task, -pid, signal)
  return file.exitStatus === undefined ? kill(task, pid, signal) : -ESRCH
}

/** PIDFD_GET_INFO of a process that was reaped; -ESRCH before. */
export function exitStatusByPidfd(task: Task, fd: number): number {
  const file = task.process.descriptors.get(fd)
  return file instanceof Pidfd ? (file.exitStatus ?? -ESRCH) : -EBADF
}

function isInExec(task: Task): boolean {
  return isExecStop(task) || task.process.execTask === task
}

/** The letter of proc_pid_stat(5). */
function stateOf({ state, wait }: Task): string {
  switch (state) {
    case 'waiting':
      // A wait that only a fatal signal ends.
      return wait?.isKillable === true ? 'D' : 'S'
    case 'stopped':
      return 'T'
    case 'traced':
      return 't'
    case 'zombie':
      return 'Z'
    case 'dead':
      return 'X'
    default:
      return 'R'
  }
}
