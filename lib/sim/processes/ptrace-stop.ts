/** The ptrace stops of a tracee, ptrace(2) "Stopped states". */

import { constants } from '../../system/constants.ts'
import { SIGTRAP } from '../base/signal-numbers.ts'
import { notifyParentOfStop, takePartInStop } from './job-control.ts'
import { fromKernel, type PendingSignal } from './pending-signals.ts'
import { recalculateSignalPending, sendToProcess, sendToTask } from './signals.ts'
import type { Task } from './task.ts'

const { PTRACE_EVENT_STOP, PTRACE_EVENT_EXEC } = constants

/** The stop code of PTRACE_EVENT_EXEC. */
export const execStopCode = SIGTRAP | (PTRACE_EVENT_EXEC << 8)

/** The PTRACE_O_* option that asks for each event. */
const eventOptions: Readonly<Record<number, number>> = {
  [constants.PTRACE_EVENT_FORK]: constants.PTRACE_O_TRACEFORK,
  [constants.PTRACE_EVENT_VFORK]: constants.PTRACE_O_TRACEVFORK,
  [constants.PTRACE_EVENT_CLONE]: constants.PTRACE_O_TRACECLONE,
  [constants.PTRACE_EVENT_EXEC]: constants.PTRACE_O_TRACEEXEC,
  [constants.PTRACE_EVENT_VFORK_DONE]: constants.PTRACE_O_TRACEVFORKDONE,
  [constants.PTRACE_EVENT_EXIT]: constants.PTRACE_O_TRACEEXIT,
}

/** How a tracer resumed a task: the signal it passed, and the siginfo of the stop, which it may have replaced. */
interface Resumption {
  readonly signal: number
  readonly info: PendingSignal | null
}

/** Stops until the tracer resumes the task. */
function* stopForTracer(
  task: Task,
  code: number,
  why: 'trapped' | 'stopped',
  info: PendingSignal | null,
  message = 0,
): Generator<void, Resumption, void> {
  const { jobControl, process } = task
  if (task.trace === null || task.killed) return { signal: code, info }
  task.stopCode = code
  task.stopInfo = info
  task.eventMessage = message
  const groupStopped = why === 'stopped' && jobControl.stopPending && takePartInStop(task)
  // Any stop satisfies a pending trap; only an event stop satisfies a pending notification.
  jobControl.trapStop = false
  if (isEventStop(task)) jobControl.trapNotify = false
  task.kernel.park(task, 'traced', code)
  notifyParentOfStop(task, true, why)
  if (groupStopped && task.hasForeignTracer) notifyParentOfStop(task, false, why)
  yield
  task.kernel.trace.goesOn?.(task)
  const resumption = { signal: task.stopCode, info: task.stopInfo }
  task.stopCode = 0
  task.stopInfo = null
  task.eventMessage = 0
  task.hasSetRegisters = false
  jobControl.listening = false
  // Set here and never cleared: detaching leaves it set, which keeps later signals from waking a vfork parent.
  if (process.groupExit !== null) task.signalPending = true
  else if (!task.signalPending) recalculateSignalPending(task)
  return resumption
}

/** Whether the task is in, or about to enter, PTRACE_EVENT_STOP: a seized task's stop without a signal. */
export function isEventStop({ stopInfo }: Task): boolean {
  return stopInfo !== null && stopInfo.origin.code >> 8 === PTRACE_EVENT_STOP
}

/** Whether the task is stopped at PTRACE_EVENT_EXEC, even if a wait has reported that. */
export function isExecStop({ state, stopInfo }: Task): boolean {
  return state === 'traced' && stopInfo?.origin.code === execStopCode
}

/** Signal-delivery-stop: the tracer sees the signal and chooses which one is delivered; null for none. */
export function* stopForSignal(
  task: Task,
  pending: PendingSignal,
  ofProcess: boolean,
): Generator<void, PendingSignal | null, void> {
  // Set for every signal: the tracer may replace it by a stop signal.
  task.jobControl.stopDequeued = true
  const tracer = task.trace!.tracer
  const { signal, info } = yield* stopForTracer(task, pending.signal, 'trapped', pending)
  if (signal === 0) return null
  const delivered = signal === info?.signal ? info : { signal, origin: { code: 0, pid: tracer.tid, uid: 0 } }
  if (!task.mask.has(signal) && !task.killed) return delivered
  // The signal is blocked: it goes back to the queue that the original came from.
  if (ofProcess) sendToProcess(task.process, delivered.signal, delivered.origin)
  else sendToTask(task, delivered.signal, delivered.origin)
  return null
}

/** The trap of a group stop, or of PTRACE_INTERRUPT. */
export function* stopForTrap(task: Task): Generator<void, void, void> {
  const { process, jobControl } = task
  if (!task.trace!.seized) {
    yield* stopForTracer(task, jobControl.stopSignal, 'stopped', null)
    return
  }
  const groupStop = process.stopped || process.stoppingThreads > 0
  const signal = groupStop ? jobControl.stopSignal : SIGTRAP
  yield* stopForEvent(task, signal, PTRACE_EVENT_STOP, 'stopped')
}

function* stopForEvent(
  task: Task,
  signal: number,
  event: number,
  why: 'trapped' | 'stopped',
  message = 0,
): Generator<void, void, void> {
  const code = signal | (event << 8)
  yield* stopForTracer(task, code, why, { signal, origin: { code, pid: task.tid, uid: 0 } }, message)
}

/** Whether the task's tracer has asked for this event. */
export function hasEvent(task: Task, event: number): boolean {
  return task.trace !== null && (task.trace.options & eventOptions[event]!) !== 0
}

/**
 * Stops for a PTRACE_EVENT_*, if its option is on. Without PTRACE_O_TRACEEXEC a traced exec sends SIGTRAP instead, an
 * ordinary signal: if it is blocked there is no stop.
 */
export function* traceEvent(task: Task, event: number, message: number): Generator<void, void, void> {
  if (hasEvent(task, event)) yield* stopForEvent(task, SIGTRAP, event, 'trapped', message)
  else if (event === PTRACE_EVENT_EXEC && task.trace !== null && !task.trace.seized) {
    sendToTask(task, SIGTRAP, { code: 0, pid: task.process.id, uid: 0 })
  }
}

/** PTRACE_SYSCALL: the stop at the entry or exit of a system call. A signal the tracer passes here is sent. */
export function* stopForCall(task: Task, message: number): Generator<void, void, void> {
  if (task.trace?.resume !== 'syscall') return
  const code = SIGTRAP | (task.trace.options & constants.PTRACE_O_TRACESYSGOOD ? 0x80 : 0)
  const tracer = task.trace.tracer
  const info = { signal: SIGTRAP, origin: { code, pid: task.tid, uid: 0 } }
  const { signal } = yield* stopForTracer(task, code, 'trapped', info, message)
  if (signal !== 0 && signal !== code) sendToTask(task, signal, { code: fromKernel, pid: tracer.process.id, uid: 0 })
}
