/** Signals to other processes and their threads: kill(2), tgkill(2). */

import { EINVAL, EPERM, ESRCH } from '../base/results.ts'
import { isValidSignal } from '../base/signal-numbers.ts'
import { fromThread, fromUser, type SignalOrigin } from '../processes/pending-signals.ts'
import type { Process } from '../processes/process.ts'
import { originOf, sendToProcess, sendToTask } from '../processes/signals.ts'
import type { Task } from '../processes/task.ts'

/** kill(2): a process, the caller's group (0), all processes (-1), or a group by its negative number. */
export function kill(task: Task, pid: number, signal: number): number {
  const { kernel } = task
  if (pid === -0x80000000) return -ESRCH
  const targets = signalTargets(task, pid)
  if (pid <= 0) kernel.trace.groupsUsed?.()
  if (pid <= 0 || targets.length === 0) kernel.trace.numbersUsed?.()
  for (const target of targets) kernel.trace.waitStateUsed?.(target)
  if (targets.length === 0) return -ESRCH
  if (!isValidSignal(signal)) return -EINVAL
  const ours = targets.filter(isOfUser)
  if (ours.length === 0) return -EPERM
  for (const target of ours) sendToProcess(target, signal, originOf(task, fromUser))
  return 0
}

/** tgkill(2): a signal for one thread of a process. */
export function tgkill(task: Task, pid: number, tid: number, signal: number): number {
  return signalThread(task, pid, tid, signal, originOf(task, fromThread))
}

/** A signal for one thread of a process, as tgkill(2) and rt_tgsigqueueinfo(2) send it. */
export function signalThread(task: Task, pid: number, tid: number, signal: number, origin: SignalOrigin): number {
  const { kernel } = task
  if (pid <= 0 || tid <= 0) return -EINVAL
  const target = kernel.tasks.get(tid)
  if (target === undefined) kernel.trace.numbersUsed?.()
  else kernel.trace.waitStateUsed?.(target.process)
  if (target?.process.id !== pid) return -ESRCH
  if (!isValidSignal(signal)) return -EINVAL
  if (!isOfUser(target.process)) return -EPERM
  sendToTask(target, signal, origin)
  return 0
}

function signalTargets(task: Task, pid: number): Process[] {
  const { processes, tasks } = task.kernel
  if (pid > 0) {
    const target = tasks.get(pid)?.process
    return target === undefined ? [] : [target]
  }
  if (pid === -1) return [...processes.values()].filter(target => target !== task.process)
  const group = pid === 0 ? task.process.group : -pid
  return [...processes.values()].filter(target => target.group === group)
}

/** init and the shell belong to another user. */
function isOfUser(process: Process): boolean {
  return process !== process.kernel.init && process !== process.kernel.shell
}
