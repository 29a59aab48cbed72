/** detach() and handOff(): the end of the tracing of a process, with nothing sent and nothing lost. */

import { checkDeliveredSignal, checkTimeout } from '../../../system/arguments.ts'
import { constants } from '../../../system/constants.ts'
import { isErrno } from '../../../system/errors.ts'
import { privateCallsOf } from '../../../system/private-calls.ts'
import type { Signal } from '../../../system/signals.ts'
import type { System } from '../../../system/system.ts'
import type { WaitStatus } from '../../../system/wait-status.ts'
import { Deadline, orAborted } from '../../base/deadline.ts'
import { takeChanges } from '../../children/child-watch.ts'
import { prepareToStop, untilSigstop } from '../leaving/leave-stopped.ts'
import { isOwnChild, leave } from '../leaving/parting.ts'
import { goToSigstop, living, mayHaveTrapPending, unfinishedSignal } from '../leaving/unfinished.ts'
import { resendMs } from '../tasks/halt.ts'
import { NextChange } from '../tasks/next-change.ts'
import type { Task } from '../tasks/task.ts'
import type { TracedProcess } from './traced-process.ts'

const { WUNTRACED } = constants

export async function detach(
  process: TracedProcess,
  signal: Signal | undefined,
  timeoutMs: number | undefined,
): Promise<void> {
  const number = checkDeliveredSignal(signal)
  await inTurn(process, timeoutMs, leftMs => detachNow(process, signal === undefined ? undefined : number, leftMs))
}

export function handOff(process: TracedProcess, timeoutMs: number | undefined): Promise<void> {
  return inTurn(process, timeoutMs, leftMs => handOffNow(process, leftMs))
}

const underWay = new WeakMap<TracedProcess, Promise<void>>()

/** Runs one call at a time: two would take each other's stops. Once a call has succeeded, the process is detached. */
async function inTurn(
  process: TracedProcess,
  limitMs: number | undefined,
  leaveNow: (leftMs: number | undefined) => Promise<void>,
): Promise<void> {
  const checkedMs = limitMs === undefined ? -1 : checkTimeout(limitMs)
  const timeoutMs = checkedMs < 0 ? undefined : checkedMs
  let leftMs = timeoutMs
  if (underWay.has(process)) {
    const { system } = process
    const start = system.now()
    using deadline = stopDeadline(process, timeoutMs)
    for (let before = underWay.get(process); before !== undefined; before = underWay.get(process)) {
      await orAborted(
        before.catch(() => {}),
        deadline.signal,
      )
    }
    if (timeoutMs !== undefined) leftMs = Math.max(0, timeoutMs - (system.now() - start))
  }
  const call = leaveNow(leftMs)
  underWay.set(process, call)
  try {
    await call
  } finally {
    underWay.delete(process)
  }
}

/** The deadline of a call that stops every thread. */
export function stopDeadline({ system, pid }: TracedProcess, timeoutMs: number | undefined): Deadline {
  return new Deadline(system, `stopping the threads of process ${pid}`, { timeoutMs }, () => takeChanges(system))
}

async function detachNow(
  process: TracedProcess,
  signal: number | undefined,
  timeoutMs: number | undefined,
): Promise<void> {
  process.mustBeStarted('PTRACE_DETACH')
  const { system, main } = process
  if (!isStopped(process)) await stop(process, timeoutMs)
  const tasks = living(process)
  const inTheWay = tasks.filter(task => mayHaveTrapPending(task) || task.isSigstopDue)
  process.prepareToLeave()
  if (inTheWay.length > 0) await Promise.all(inTheWay.map(clear))
  for (const task of tasks) {
    const isGiven = task === main && signal !== undefined
    letGo(task, () => {
      const isQueued = isGiven && task.at !== null && task.resumption.queue(task.at, signal)
      system.ptraceDetach(task.tid, isQueued ? 0 : isGiven ? signal : unfinishedSignal(task))
    })
  }
  const staysStopped = signal === undefined && main.wasGroupStopped && !main.isDying
  leave(process)
  if (staysStopped) await untilStoppedAgain(process)
}

async function handOffNow(process: TracedProcess, timeoutMs: number | undefined): Promise<void> {
  process.mustBeStarted('PTRACE_DETACH')
  const { system, main } = process
  if (!isStopped(process)) await stop(process, timeoutMs)
  const tasks = living(process)
  process.prepareToLeave()
  if (tasks.length === 1 && tasks[0] === main) {
    main.stop = null
    // A search among tracees would take the stop of job control that is waited for below.
    if (isOwnChild(process)) process.life.watched.isFoundBySearch = false
    const { at } = main
    const inTheWay = mayHaveTrapPending(main)
    let signal: 'SIGSTOP' | 'SIGCONT' | undefined
    await intercepted(main, async next => {
      if (inTheWay) await takeTrap(main, next)
      signal = await prepareToStop(system, process.pid, inTheWay ? main.at! : at!, next)
    })
    // Nothing may run between the detach and leave(): a wait for what is no tracee any more fails with ECHILD.
    if (signal === undefined) main.isDying = true
    else letGo(main, () => system.ptraceDetach(process.pid, signal))
  } else {
    for (const task of tasks) task.stop = null
    // A group stop in force would be reported again. SIGCONT ends it; the SIGSTOPs below drop the SIGCONT.
    if (tasks.some(task => task.isListening || task.wasGroupStopped)) system.kill(process.pid, 'SIGCONT')
    await Promise.all(tasks.map(task => intercepted(task, next => toSigstop(task, next))))
    for (const task of tasks) letGo(task, () => system.ptraceDetach(task.tid, 'SIGSTOP'))
  }
  leave(process)
  await untilStopped(process)
}

/** Ends the tracing of a thread by `request`. A thread killed at its stop stays a tracee until it is waited for. */
function letGo(task: Task, request: () => void): void {
  task.isDying = true
  task.tolerateDeath(() => {
    request()
    task.isDying = false
  })
}

/** Whether every thread is at a stop, and the kernel agrees. */
function isStopped(process: TracedProcess): boolean {
  process.isLeaving = true
  for (const task of [...process.tasks.values()]) task.look()
  process.mustBeStarted('PTRACE_DETACH')
  return process.halt.isComplete
}

/** Stops every thread until the tracing ends. */
async function stop(process: TracedProcess, timeoutMs: number | undefined): Promise<void> {
  using deadline = stopDeadline(process, timeoutMs)
  try {
    await process.halt.stopAll(deadline.signal)
  } catch (error) {
    process.isLeaving = false
    // Threads that a stopAll() keeps stopped wait for contAll().
    if (!process.halt.isOn) process.halt.contAll()
    throw error
  }
  process.mustBeStarted('PTRACE_DETACH')
}

/** Runs `then` while the task's changes go to it alone. */
async function intercepted(task: Task, then: (next: NextChange) => Promise<unknown>): Promise<void> {
  const next = new NextChange(task.owner.system, () => task.watched)
  // Named first: V8 allocates a function literal that is assigned to a property in the old generation.
  const interceptor = (status: WaitStatus) => {
    next.settle(status)
    return true
  }
  task.interceptor = interceptor
  try {
    await then(next)
  } catch (error) {
    // Killed meanwhile: its end is about to be reported.
    if (!isErrno(error, 'ESRCH')) throw error
  } finally {
    task.interceptor = null
  }
}

/** Removes from a task what would stop or kill the program once it is detached. */
async function clear(task: Task): Promise<void> {
  await intercepted(task, async next => {
    if (mayHaveTrapPending(task)) await takeTrap(task, next)
    if (!task.isSigstopDue) return
    // A SIGSTOP that was resent because the first was late may have become a second one.
    do {
      // A SIGCONT has dropped the SIGSTOP; the program is to get it.
      task.isSignalDropped = (await toSigstop(task, next, 'SIGCONT')) !== 'SIGCONT'
    } while (task.interruption.isSigstopPending())
  })
}

/** Takes the stop for a pending trap. No instruction runs before it. */
async function takeTrap(task: Task, next: NextChange): Promise<void> {
  const { system } = task.owner
  system.ptraceCont(task.tid)
  for (;;) {
    const status = await next.waitWithin(resendMs)
    if (status === undefined) continue
    if (status.kind !== 'stopped') return
    if (status.event !== undefined || status.signal !== 'SIGTRAP') {
      system.ptraceCont(task.tid, status.event === undefined && status.signal !== 'SIGSTOP' ? status.signal : undefined)
      continue
    }
    task.isSignalDropped = false
    task.owner.correctPc(task, status)
    return
  }
}

/**
 * Brings a task from its stop to the stop of a SIGSTOP. The signal that it has stopped for, and every pending one,
 * stays pending.
 */
async function toSigstop(task: Task, next: NextChange, enough?: 'SIGCONT'): Promise<string | undefined> {
  const { system, pid } = task.owner
  if (mayHaveTrapPending(task)) await takeTrap(task, next)
  const restore = goToSigstop(task)
  const signal = await untilSigstop(system, pid, task.tid, next, enough)
  if (signal !== undefined) restore()
  return signal
}

/** Resolves once all threads of a handed-off process are stopped, which happens one after the other. */
async function untilStopped(process: TracedProcess): Promise<void> {
  const { life, main, system, pid } = process
  // The kernel reports the stop to the process's parent only, and not at all if the main thread has ended before the
  // others: it is polled for.
  if (main.hasEnded || !isOwnChild(process)) {
    for (let ms = 1; !isAtRest(system, pid); ms *= 2) {
      if (ms > resendMs) {
        // A SIGCONT came before all were stopped, and dropped the SIGSTOP.
        life.kill('SIGSTOP')
        ms = 1
      }
      await system.sleep(ms)
    }
    return
  }
  await intercepted(main, async next => {
    life.watched.alsoWaitFor(WUNTRACED)
    try {
      while (!life.watched.ended && (await next.waitWithin(resendMs)) === undefined) {
        // A SIGCONT came before the child stopped, and dropped the SIGSTOP.
        if (!life.watched.ended) system.kill(pid, 'SIGSTOP')
      }
    } finally {
      life.watched.alsoWaitFor(0)
    }
  })
}

/** The threads of a group stop wake at a detach, and stop again by themselves, unless a SIGCONT comes first. */
async function untilStoppedAgain({ system, pid }: TracedProcess): Promise<void> {
  for (let ms = 1; ms <= resendMs && !isAtRest(system, pid); ms *= 2) await system.sleep(ms)
}

/** Whether each thread of a detached process is stopped, has ended, or is traced by another process by now. */
function isAtRest(system: System, pid: number): boolean {
  const calls = privateCallsOf(system)
  const tids = calls?.threadsOf?.(pid) ?? []
  return tids.every(tid => 'TtZX'.includes(calls?.taskOf?.(tid)?.state ?? 'X'))
}
