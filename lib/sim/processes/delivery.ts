/** Delivers what is pending before a program goes on: stops, traps, signals. */

import { signalName } from '../../system/signals.ts'
import { coreDumpSignals, ignoredSignals, SIGSTOP, stopSignals } from '../base/signal-numbers.ts'
import { exitProcess, exitTask } from './exit.ts'
import { isOrphanedGroup, notifyParentOfStop, stopForGroup } from './job-control.ts'
import type { PendingSignal, PendingSignals } from './pending-signals.ts'
import type { SignalAction } from './process.ts'
import { defaultAction } from './process.ts'
import { stopForSignal, stopForTrap } from './ptrace-stop.ts'
import { recalculateSignalPending } from './signals.ts'
import type { Task } from './task.ts'

/** A signal whose handler has to run. */
export interface Delivery {
  readonly signal: number
  readonly action: SignalAction
}

const coreDumped = 0x80

/** Handles all that is pending: a handler to run, null when the program goes on, 'ended' when the task has ended. */
export function* deliver(task: Task): Generator<void, Delivery | null | 'ended', void> {
  const { process, jobControl } = task
  for (;;) {
    const { notice } = process
    if (notice !== null) {
      process.notice = null
      notifyParentOfStop(task, false, notice)
      if (process.leader.hasForeignTracer) notifyParentOfStop(process.leader, true, notice)
    }
    if (process.groupExit !== null) {
      task.killed = false
      yield* exitProcess(task, process.groupExit)
      return 'ended'
    }
    if (process.execTask !== null && process.execTask !== task) {
      task.killed = false
      yield* exitTask(task, 0)
      return 'ended'
    }
    if (task.ending !== null) {
      yield* exitTask(task, task.ending)
      return 'ended'
    }
    if (jobControl.stopPending && (yield* stopForGroup(task, jobControl.stopSignal))) continue
    if (task.trace !== null && (jobControl.trapStop || jobControl.trapNotify)) {
      yield* stopForTrap(task)
      continue
    }
    const own = takeNext(task, task.pending)
    const pending = own ?? takeNext(task, process.pending)
    if (pending === undefined) {
      recalculateSignalPending(task)
      return null
    }
    const chosen = task.trace === null ? pending : yield* stopForSignal(task, pending, own === undefined)
    if (chosen === null) continue
    const { signal } = chosen
    const action = process.actions.get(signal) ?? defaultAction
    if (action.handler === 'ignore') continue
    if (action.handler !== 'default') {
      if (action.once) process.actions.set(signal, defaultAction)
      recalculateSignalPending(task)
      return { signal, action }
    }
    if (ignoredSignals.has(signal)) continue
    if (stopSignals.has(signal)) {
      process.stopCause = { signal: signalName(signal), by: chosen.origin.pid }
      if (signal === SIGSTOP || !isOrphanedGroup(process)) yield* stopForGroup(task, signal)
      continue
    }
    const status = coreDumpSignals.has(signal) && process.coreLimit > 0 ? signal | coreDumped : signal
    yield* exitProcess(task, status)
    return 'ended'
  }
}

/** Takes the next unblocked signal of a queue. */
function takeNext(task: Task, queue: PendingSignals): PendingSignal | undefined {
  const pending = queue.take(task.mask)
  if (pending === undefined) return undefined
  task.kernel.trace.signalTaken?.(task, pending)
  if (stopSignals.has(pending.signal)) task.jobControl.stopDequeued = true
  return pending
}
