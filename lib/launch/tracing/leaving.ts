/** detach() and handOff(): the end of the tracing of a process, with nothing sent and nothing lost. */

import { checkDeliveredSignal } from '../../system/arguments.ts'
import { constants } from '../../system/constants.ts'
import type { Signal } from '../../system/signals.ts'
import { Deadline } from '../deadline.ts'
import { leaveStopped, resendStopMs } from './leave-stopped.ts'
import { NextChange } from './next-change.ts'
import { isGroupStop, ownSignal } from './pass-on.ts'
import type { Task } from './task.ts'
import type { TracedProcess } from './traced-process.ts'

const { WUNTRACED } = constants

export async function detach(
  process: TracedProcess,
  signal: Signal | undefined,
  timeoutMs: number | undefined,
): Promise<void> {
  const number = checkDeliveredSignal(signal)
  const { system } = process
  process.mustBeTraced('PTRACE_DETACH')
  if (!isStopped(process)) await stop(process, timeoutMs)
  for (const task of [...process.tasks.values()]) {
    const given = task.isMain && signal !== undefined ? number : unfinishedSignal(task)
    task.tolerateDeath(() => {
      const isQueued = task.isMain && signal !== undefined && task.at !== null && task.resumption.queue(task.at, number)
      system.ptraceDetach(task.tid, isQueued ? 0 : given)
    })
  }
  process.leave()
}

/** Whether every thread is at a stop that the kernel knows of, too. */
function isStopped(process: TracedProcess): boolean {
  for (const task of [...process.tasks.values()]) task.look()
  process.mustBeTraced('PTRACE_DETACH')
  return process.halt.isComplete
}

/** Stops every thread; keeps them so until the tracing ends. */
async function stop(process: TracedProcess, timeoutMs: number | undefined): Promise<void> {
  using deadline = new Deadline(process.system, `stopping the threads of process ${process.pid}`, { timeoutMs })
  await process.halt.begin(deadline.signal)
  process.mustBeTraced('PTRACE_DETACH')
}

/** The signal of the stop that is not yet delivered; 0 where there is none. */
function unfinishedSignal(task: Task): Signal {
  const { at, tid, isInterrupted } = task
  const { system } = task.owner
  if (at === null || at.event !== undefined || isInterrupted) return 0
  let signal: Signal = 0
  task.tolerateDeath(() => {
    signal = isGroupStop(system, tid, at) ? 0 : ownSignal(system, tid, at)
  })
  return signal
}

export async function handOff(process: TracedProcess, timeoutMs: number | undefined): Promise<void> {
  const { main, system, life } = process
  process.mustBeTraced('PTRACE_DETACH')
  if (!isStopped(process)) await stop(process, timeoutMs)
  const { at } = main
  const next = new NextChange(system, () => life.watched)
  main.stop = null
  main.interceptor = status => {
    next.settle(status)
    return true
  }
  await leaveStopped(system, process.pid, at!, next)
  process.leave()
  main.interceptor = status => {
    next.settle(status)
    return true
  }
  life.watched.alsoWaitFor(WUNTRACED)
  try {
    while (!life.watched.ended && (await next.waitWithin(resendStopMs)) === undefined) {
      // A SIGCONT came before the child stopped, and dropped the SIGSTOP.
      if (!life.watched.ended) system.kill(process.pid, 'SIGSTOP')
    }
  } finally {
    life.watched.alsoWaitFor(0)
    main.interceptor = null
  }
}
