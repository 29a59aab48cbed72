/** ptrace(2): the link between tracer and tracee, and the requests that attach, resume, stop and detach. */

import { constants } from '../../system/constants.ts'
import { EINVAL, EIO, EPERM, ESRCH } from '../base/results.ts'
import { isValidSignal, SIGKILL, SIGSTOP } from '../base/signal-numbers.ts'
import { fromKernel, noSiginfo } from './pending-signals.ts'
import { execStopCode, isEventStop } from './ptrace-stop.ts'
import { notifyParentOfEnd, release, unlinkFromTracer } from './reap.ts'
import { discardsChildren, sendToProcess, sendToTask, wakeForSignal, wakeParent } from './signals.ts'
import type { Task, Trace } from './task.ts'

const {
  PTRACE_O_TRACESYSGOOD,
  PTRACE_O_TRACEFORK,
  PTRACE_O_TRACEVFORK,
  PTRACE_O_TRACECLONE,
  PTRACE_O_TRACEEXEC,
  PTRACE_O_TRACEVFORKDONE,
  PTRACE_O_TRACEEXIT,
  PTRACE_O_TRACESECCOMP,
  PTRACE_O_EXITKILL,
  PTRACE_O_SUSPEND_SECCOMP,
} = constants

const knownOptions =
  PTRACE_O_TRACESYSGOOD |
  PTRACE_O_TRACEFORK |
  PTRACE_O_TRACEVFORK |
  PTRACE_O_TRACECLONE |
  PTRACE_O_TRACEEXEC |
  PTRACE_O_TRACEVFORKDONE |
  PTRACE_O_TRACEEXIT |
  PTRACE_O_TRACESECCOMP |
  PTRACE_O_EXITKILL |
  PTRACE_O_SUSPEND_SECCOMP

const kernelSent = { code: fromKernel, pid: 0, uid: 0 } as const

/** PTRACE_TRACEME. */
export function traceMe(task: Task): number {
  if (task.trace !== null) return -EPERM
  const tracer = task.parentTask
  // An orphan gets no tracer: its parent is gone, and the simulated init does not trace.
  if (tracer !== null && !tracer.exiting) link(task, tracer, false, 0)
  return 0
}

/** PTRACE_ATTACH and PTRACE_SEIZE. */
export function attach(tracer: Task, tid: number, seized: boolean, options = 0): number {
  const task = findTask(tracer, tid)
  if (task === undefined) return -ESRCH
  if (seized && options & ~knownOptions) return -EIO
  if (task.process === tracer.process || task.process === tracer.kernel.init) return -EPERM
  // As on Linux, an exiting task can be attached to until it is a zombie.
  if (task.trace !== null || task.state === 'zombie' || task.state === 'dead') return -EPERM
  link(task, tracer, seized, options)
  if (!seized) sendToTask(task, SIGSTOP, kernelSent)
  if (task.state === 'stopped') {
    // A group stop becomes a ptrace stop.
    task.jobControl.trapStop = true
    task.signalPending = true
    task.kernel.makeRunnable(task)
  }
  return 0
}

function link(task: Task, tracer: Task, seized: boolean, options: number): void {
  // The order of tracees decides which one a wait finds first. Own children do not matter: it finds those as children.
  if (task.process.parent !== tracer.process) task.kernel.trace.waitStateUsed?.(tracer.process)
  task.trace = { tracer, seized, options, resume: 'cont' }
  tracer.tracees.unshift(task)
}

/** Makes a new child traced from its birth, as its parent is (PTRACE_O_TRACEFORK and the like). */
export function inheritTrace(child: Task, parent: Task): void {
  const { tracer, seized, options } = parent.trace!
  link(child, tracer, seized, options)
  if (seized) {
    child.jobControl.trapStop = true
    child.signalPending = true
  } else {
    // Made pending, not sent: sending it would discard a SIGCONT pending for the process of a new thread.
    child.pending.add(SIGSTOP, noSiginfo)
    child.kernel.trace.signalQueued?.(child.pending.latest(SIGSTOP)!)
    child.signalPending = true
  }
}

/** Makes a task untraced. If its process is in a group stop, the task stops with it. */
function endTracing(task: Task): void {
  const { process, jobControl } = task
  task.kernel.trace.processUsed?.(process)
  unlinkFromTracer(task)
  jobControl.clearTraps()
  if (task.exiting || task.state === 'zombie') return
  if (process.stopped || process.stoppingThreads > 0) jobControl.stopPending = true
  if (jobControl.stopPending) wakeForSignal(task)
  if (task.state !== 'traced') return
  task.signalPending = true
  task.kernel.makeRunnable(task)
}

/** A tracing thread ends: its tracees go on, or are killed with PTRACE_O_EXITKILL. */
export function detachTracees(tracer: Task): void {
  for (const task of [...tracer.tracees]) {
    if (task.trace!.options & PTRACE_O_EXITKILL) sendToProcess(task.process, SIGKILL, kernelSent)
    detachTracee(tracer, task)
  }
}

/** Ends the tracing of one task. The end of a zombie, which its tracer was to see first, is reported to its parent. */
function detachTracee(tracer: Task, task: Task): void {
  endTracing(task)
  if (task.state !== 'zombie') return
  if (!task.isLeader) {
    release(task)
  } else if (task.process.unreaped.length === 1) {
    if (task.process.parent !== tracer.process) {
      if (notifyParentOfEnd(task, task.process.exitSignal)) release(task)
    } else if (discardsChildren(tracer.process)) {
      wakeParent(tracer.process)
      release(task)
    }
  }
}

/** The tracee of a request, in a ptrace stop; undefined (ESRCH) otherwise, or if another thread traces it. */
export function stoppedTracee(tracer: Task, tid: number): Task | undefined {
  const task = tracee(tracer, tid)
  if (task?.state !== 'traced' || task.killed || task.jobControl.listening || hasUnseenNumber(task)) return undefined
  tracer.kernel.trace.stateSeen?.(task, tracer)
  return task
}

/** Whether an exec has renumbered the task and no wait has reported that: a request may mean the old leader. */
function hasUnseenNumber({ stopCode, eventMessage, tid }: Task): boolean {
  return stopCode === execStopCode && eventMessage !== tid
}

function tracee(tracer: Task, tid: number): Task | undefined {
  const task = findTask(tracer, tid)
  return task?.trace?.tracer === tracer ? task : undefined
}

/** The task with a number, if there is one; traces that the caller depends on it. */
export function findTask({ kernel }: Task, tid: number): Task | undefined {
  const task = kernel.tasks.get(tid)
  if (task === undefined) kernel.trace.numbersUsed?.()
  else kernel.trace.processUsed?.(task.process)
  return task
}

/** PTRACE_CONT, PTRACE_SYSCALL and PTRACE_SINGLESTEP. */
export function resume(tracer: Task, tid: number, how: Trace['resume'], signal: number): number {
  const task = stoppedTracee(tracer, tid)
  if (task === undefined) return -ESRCH
  if (!isValidSignal(signal)) return -EIO
  task.trace!.resume = how
  task.stopCode = signal
  task.kernel.makeRunnable(task)
  return 0
}

/** PTRACE_DETACH. */
export function detach(tracer: Task, tid: number, signal: number): number {
  const task = stoppedTracee(tracer, tid)
  if (task === undefined) return -ESRCH
  if (!isValidSignal(signal)) return -EIO
  task.stopCode = signal
  detachTracee(tracer, task)
  return 0
}

/** PTRACE_INTERRUPT, which a running tracee accepts too. */
export function interrupt(tracer: Task, tid: number): number {
  const task = tracee(tracer, tid)
  if (task === undefined) return -ESRCH
  if (!task.trace!.seized) return -EIO
  if (task.killed || task.exiting) return 0
  task.jobControl.trapStop = true
  wakeForSignal(task)
  if (task.state === 'traced' && task.jobControl.listening) task.kernel.makeRunnable(task)
  return 0
}

/** PTRACE_LISTEN: the tracee stays in its group stop, and traps again at the next event. */
export function listen(tracer: Task, tid: number): number {
  const task = stoppedTracee(tracer, tid)
  if (task === undefined) return -ESRCH
  if (!task.trace!.seized || !isEventStop(task)) return -EIO
  task.jobControl.listening = true
  if (task.jobControl.trapNotify) task.kernel.makeRunnable(task)
  return 0
}

/** PTRACE_SETOPTIONS. */
export function setOptions(tracer: Task, tid: number, options: number): number {
  const task = stoppedTracee(tracer, tid)
  if (task === undefined) return -ESRCH
  if (options & ~knownOptions) return -EINVAL
  task.trace!.options = options
  return 0
}
