/**
 * Sending signals, signal(7): who may take one, what it does before anybody does, and what ignoring means.
 *
 * A signal that ends the process takes effect when it is sent: whatever comes later is lost. SIGCONT continues, and stop signals cancel
 * SIGCONT, even where they are blocked or ignored.
 */

import { constants } from '../../system/constants.ts'
import { coreDumpSignals, ignoredSignals, SIGCHLD, SIGCONT, SIGKILL, stopSignals } from '../base/signal-numbers.ts'
import type { SignalOrigin } from './pending-signals.ts'
import type { Process, SignalAction } from './process.ts'
import type { Task } from './task.ts'

/** Sends a signal for whichever of the process's threads takes it, kill(2). */
export function sendToProcess(process: Process, signal: number, origin: SignalOrigin): void {
  send(process.leader, signal, origin, true)
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
  // A process that is ending takes no more.
  if (process.groupExit !== null) return
  if (stopSignals.has(signal)) discard(process, pending => pending === SIGCONT)
  else if (signal === SIGCONT) resume(process)
  if (isIgnored(task, signal)) return
  const queue = toProcess ? process.pending : task.pending
  const added = queue.add(signal, origin)
  if (trace.signalQueued !== null) trace.signalQueued(queue.latest(signal)!)
  if (added) complete(task, signal, toProcess)
}

/** Chooses who delivers the signal, and begins the end of the process if that is what it will be. */
function complete(task: Task, signal: number, toProcess: boolean): void {
  const { process } = task
  const candidates = (toProcess ? process.tasks : [task]).filter(candidate => wants(candidate, signal))
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

/** Ends all threads with this status; only the first such decision counts. */
export function killThreads(process: Process, status: number, except?: Task): void {
  // From now on the process is ending and nothing else: a continuation not yet told is not told any more.
  if (process.groupExit === null) process.setStopState(null)
  process.groupExit ??= status
  process.endedBy ??= process.kernel.acting.process
  process.kernel.trace.decided?.(process)
  process.stoppingThreads = 0
  for (const task of process.tasks) {
    if (task === except || task.exiting) continue
    task.jobControl.clearStop()
    task.jobControl.clearTraps()
    task.killed = true
    wakeForSignal(task)
    if (task.state === 'stopped' || task.state === 'traced') task.kernel.makeRunnable(task)
  }
}

/** Has the task look for signals and stops: a blocked call ends early. */
export function wakeForSignal(task: Task): void {
  task.signalPending = true
  task.wake()
}

/** Whether there is anything to deliver, now that masks or stops have changed. */
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

/** A blocked signal is kept, since its action may change; a tracer sees ignored ones. */
function isIgnored(task: Task, signal: number): boolean {
  if (task.mask.has(signal) || (task.trace !== null && signal !== SIGKILL)) return false
  const handler = task.process.handlerOf(signal)
  return handler === 'ignore' || (handler === 'default' && ignoredSignals.has(signal))
}

function discard(process: Process, unwanted: (signal: number) => boolean): void {
  process.pending.delete(unwanted)
  for (const task of process.tasks) task.pending.delete(unwanted)
}

/** What SIGCONT does at once, whatever becomes of the signal. */
function resume(process: Process): void {
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
  // The first thread to wake tells the parent; a stop that was under way counts as finished.
  const told = process.stopped ? 'continued' : process.stoppingThreads > 0 ? 'stopped' : null
  if (told === null) return
  process.setStopState('continued', told)
  process.stoppingThreads = 0
  process.stopSignal = 0
  // A task that its tracer holds in its group stop wakes nothing: Linux leaves its tracer to look. Here the host hears of it, since a host
  // that looks again and again would never come to rest.
  const isHeld = process.tasks.some(({ state, trace }) => state === 'traced' && trace?.seized === false)
  if (isHeld && process.parent.onSignal?.(SIGCHLD)) process.kernel.trace.newsSent?.(process.id)
}

/** Has a seized thread trap again: its group's state changed. */
export function trapNotify(task: Task): void {
  if (task.killed || task.exiting) return
  task.jobControl.trapNotify = true
  task.signalPending = true
  if (task.state === 'waiting') task.wake()
  else if (task.state === 'stopped' || (task.state === 'traced' && task.jobControl.listening))
    task.kernel.makeRunnable(task)
}

/** sigaction(2): ignoring a signal drops what is pending of it. */
export function setAction(process: Process, signal: number, action: SignalAction): void {
  process.actions.set(signal, action)
  const ignored = action.handler === 'ignore' || (action.handler === 'default' && ignoredSignals.has(signal))
  if (ignored) discard(process, pending => pending === signal)
}

/** Where a signal comes from that a program sends. */
export function originOf(sender: Task, code: number): SignalOrigin {
  return { code, pid: sender.process.id, uid: 0 }
}

/** si_code of SIGCHLD. */
export const childCodes = { exited: 1, killed: 2, dumped: 3, trapped: 4, stopped: 5, continued: 6 } as const

/** Whether a process wants to hear of its children's stops. */
export function hearsOfStops(process: Process): boolean {
  const action = process.actions.get(SIGCHLD)
  return action?.handler !== 'ignore' && !action?.noChildStop
}

/** Whether a process wants its ended children to vanish. */
export function discardsChildren(process: Process): boolean {
  const action = process.actions.get(SIGCHLD)
  return action?.handler === 'ignore' || action?.noChildWait === true
}

/** Wakes those of a process's threads that wait for children. */
export function wakeParent(process: Process): void {
  process.childQueue.wakeAll(constants.POLLIN)
}
