/**
 * Sending signals, signal(7): which thread takes a signal, and what a signal does at once.
 *
 * A fatal signal ends the process when it is sent; signals sent after it are lost. SIGCONT continues a process even if
 * it is blocked or ignored, and a stop signal discards a pending SIGCONT even then.
 */

import { constants } from '../../system/constants.ts'
import { coreDumpSignals, ignoredSignals, SIGCHLD, SIGCONT, SIGKILL, stopSignals } from '../base/signal-numbers.ts'
import type { SignalOrigin } from './pending-signals.ts'
import type { Process, SignalAction } from './process.ts'
import type { Task } from './task.ts'

/** kill(2): a signal for any thread of the process. */
export function sendToProcess(process: Process, signal: number, origin: SignalOrigin): void {
  send(process.leader, signal, origin, true)
}

/**
 * A signal for the process of a thread, such as SIGCHLD. That thread takes it if it can; its mask and tracer decide
 * whether an ignored signal is dropped at once.
 */
export function sendToProcessOf(task: Task, signal: number, origin: SignalOrigin): void {
  send(task, signal, origin, true)
}

/** tgkill(2): a signal for one thread. */
export function sendToTask(task: Task, signal: number, origin: SignalOrigin): void {
  send(task, signal, origin, false)
}

function send(task: Task, signal: number, origin: SignalOrigin, toProcess: boolean): void {
  const { process } = task
  if (signal === 0 || process.tasks.length === 0) return
  const { trace } = task.kernel
  const asNews = process.onSignal?.(signal) ?? false
  trace.signalSent?.(task, signal, origin, asNews)
  if (asNews) {
    trace.newsSent?.(origin.pid ?? 0)
    return
  }
  // An ending process takes no more signals.
  if (process.groupExit !== null) return
  if (stopSignals.has(signal)) discard(process, pending => pending === SIGCONT)
  else if (signal === SIGCONT) continueProcess(process)
  if (isIgnored(task, signal)) return
  const queue = toProcess ? process.pending : task.pending
  const added = queue.add(signal, origin)
  if (trace.signalQueued !== null) trace.signalQueued(queue.latest(signal)!)
  if (added) complete(task, signal, toProcess)
}

/** Chooses the thread that takes the signal. A fatal signal ends the process now. */
function complete(task: Task, signal: number, toProcess: boolean): void {
  const { process } = task
  const others = toProcess ? process.tasks.filter(other => other !== task) : []
  const candidates = [task, ...others].filter(candidate => wants(candidate, signal))
  const [first] = candidates
  if (first === undefined) return
  const target =
    candidates.length === 1 ? first : candidates[task.kernel.choose({ kind: 'signal-thread', options: candidates })]!
  const fatal = endsProcess(process, signal) && (signal === SIGKILL || task.trace === null)
  if (fatal && !coreDumpSignals.has(signal)) {
    killThreads(process, signal)
    return
  }
  wakeForSignal(target)
}

/** Ends all threads with this status, unless the process is ending: the first call decides, and kills once. */
export function killThreads(process: Process, status: number, except?: Task): void {
  // A second SIGKILL would end the stops of PTRACE_O_TRACEEXIT.
  if (process.groupExit !== null) return
  // An ending process no longer reports a continuation.
  process.setStopState(null)
  process.groupExit = status
  process.endedBy ??= process.kernel.acting.process
  process.kernel.trace.decided?.(process)
  process.stoppingThreads = 0
  for (const task of process.tasks) if (task !== except && !task.exiting) killTask(task)
}

/** Sends SIGKILL to one thread of an ending process, or of one that execs. */
function killTask(task: Task): void {
  task.jobControl.clearStop()
  task.jobControl.clearTraps()
  task.killed = true
  wakeForSignal(task)
  if (task.state === 'stopped' || task.state === 'traced') task.kernel.makeRunnable(task)
}

/** Ends all other threads of a process that execs. */
export function killOthers(task: Task): void {
  const { process } = task
  process.stoppingThreads = 0
  process.kernel.trace.decided?.(process)
  for (const thread of process.tasks) if (thread !== task) killTask(thread)
}

/** Makes the task handle signals and stops: a blocked call ends early. */
export function wakeForSignal(task: Task): void {
  task.signalPending = true
  if (task.isInterrupted) task.wake()
}

/** Updates {@link Task.signalPending} after a change of masks, stops or pending signals. */
export function recalculateSignalPending(task: Task): void {
  task.signalPending =
    task.killed ||
    task.ending !== null ||
    task.process.groupExit !== null ||
    task.jobControl.pending ||
    task.process.notice !== null ||
    task.pending.anyOutside(task.mask) ||
    task.process.pending.anyOutside(task.mask)
}

function wants(task: Task, signal: number): boolean {
  if (task.exiting || task.state === 'zombie' || task.state === 'dead') return false
  if (signal === SIGKILL) return true
  if (task.mask.has(signal) || task.state === 'stopped' || task.state === 'traced') return false
  return !task.signalPending
}

function endsProcess(process: Process, signal: number): boolean {
  return process.handlerOf(signal) === 'default' && !ignoredSignals.has(signal) && !stopSignals.has(signal)
}

/** Whether a signal is dropped at once. A blocked one is kept, since its action may change; a tracer sees any. */
function isIgnored(task: Task, signal: number): boolean {
  if (task.mask.has(signal) || (task.trace !== null && signal !== SIGKILL)) return false
  const handler = task.process.handlerOf(signal)
  return handler === 'ignore' || (handler === 'default' && ignoredSignals.has(signal))
}

function discard(process: Process, unwanted: (signal: number) => boolean): void {
  process.pending.delete(unwanted)
  for (const task of process.tasks) task.pending.delete(unwanted)
}

/** The effects of SIGCONT when it is sent, even if it is blocked or ignored. */
function continueProcess(process: Process): void {
  discard(process, pending => stopSignals.has(pending))
  process.kernel.trace.decided?.(process)
  for (const task of process.tasks) {
    task.jobControl.clearStop()
    if (task.trace?.seized) {
      trapNotify(task)
    } else if (task.state === 'stopped') {
      task.signalPending = true
      task.kernel.makeRunnable(task)
    }
  }
  // The first thread to wake notifies the parent; an unfinished stop counts as finished.
  const notice = process.stopped ? 'continued' : process.stoppingThreads > 0 ? 'stopped' : null
  if (notice === null) return
  process.setStopState('continued', notice)
  process.stoppingThreads = 0
  process.stopSignal = 0
  // A task held in its group stop by its tracer wakes nothing on Linux: its tracer has to poll. Here the host is
  // notified, since a host that polls would never come to rest.
  const isHeld = process.tasks.some(({ state, trace }) => state === 'traced' && trace?.seized === false)
  if (isHeld && process.parent.onSignal?.(SIGCHLD)) process.kernel.trace.newsSent?.(process.id)
}

/** Makes a seized thread trap again: the state of its group changed. */
export function trapNotify(task: Task): void {
  if (task.killed || task.exiting) return
  task.jobControl.trapNotify = true
  task.signalPending = true
  if (task.state === 'waiting') wakeForSignal(task)
  else if (task.state === 'stopped' || (task.state === 'traced' && task.jobControl.listening))
    task.kernel.makeRunnable(task)
}

/** sigaction(2); ignoring a signal discards its pending instances. */
export function setAction(process: Process, signal: number, action: SignalAction): void {
  process.actions.set(signal, action)
  const ignored = action.handler === 'ignore' || (action.handler === 'default' && ignoredSignals.has(signal))
  if (ignored) discard(process, pending => pending === signal)
}

/** The origin of a signal that a program sends. */
export function originOf(sender: Task, code: number): SignalOrigin {
  return { code, pid: sender.process.id, uid: 0 }
}

/** si_code of SIGCHLD. */
export const childCodes = {
  exited: constants.CLD_EXITED,
  killed: constants.CLD_KILLED,
  dumped: constants.CLD_DUMPED,
  trapped: constants.CLD_TRAPPED,
  stopped: constants.CLD_STOPPED,
  continued: constants.CLD_CONTINUED,
} as const

/** Whether stops of a process's children send it SIGCHLD (SA_NOCLDSTOP off, and not ignored). */
export function getsSigchldForStops(process: Process): boolean {
  const action = process.actions.get(SIGCHLD)
  return action?.handler !== 'ignore' && !action?.noChildStop
}

/** Whether a process's ended children vanish without a wait (SA_NOCLDWAIT, or SIGCHLD ignored). */
export function discardsChildren(process: Process): boolean {
  const action = process.actions.get(SIGCHLD)
  return action?.handler === 'ignore' || action?.noChildWait === true
}

/** Wakes the process's threads that wait for children. */
export function wakeParent(process: Process): void {
  process.childQueue.wakeAll(constants.POLLIN)
}
