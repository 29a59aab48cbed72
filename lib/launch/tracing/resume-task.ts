/** Resumes a thread from a stop, as its user asks. */

import { isErrno } from '../../system/errors.ts'
import { privateCallsOf } from '../../system/private-calls.ts'
import type { StopStatus } from '../../system/wait-status.ts'
import { pause } from '../pause.ts'
import type { Going } from './resumption.ts'
import type { Task } from './task.ts'
import type { Stop } from './task-state.ts'

interface Resumed {
  /** Whether no thread is to run any more. */
  readonly isLeaving: boolean
  /** Resumes tasks over its breakpoints. */
  readonly space: { resume(task: Task, going: Going, stop: Stop, signal: number): void }
  /** Gives the stop that came before a task's birth. */
  giveBehind(task: Task, behind: StopStatus): void
}

export function resumeTask(process: Resumed, task: Task, going: Going, stop: Stop, signal: number): void {
  try {
    resume(process, task, going, stop, signal)
  } catch (error) {
    // Killed at its stop: its end is about to be reported, and says more than a refusal.
    if (!isErrno(error, 'ESRCH') || !isDying(task, stop)) throw error
    if (task.stop !== stop) return
    task.stop = null
    task.parked = null
  }
}

/** How often a thread is looked at that runs, although nothing has resumed it. */
const mostLooks = 100

/**
 * Whether a thread was killed at its stop. On its way from there to its exit event, or to its end, it runs for an
 * instant in which nothing else tells.
 */
function isDying(task: Task, stop: Stop): boolean {
  const { system } = task.owner
  const calls = privateCallsOf(system)
  for (let looks = 1; ; looks++) {
    if (!task.watched.ended) task.watched.check()
    if (task.hasEnded || task.stop !== stop || calls?.isEndingOrExecing?.(task.tid) === true) return true
    if (looks === mostLooks || calls?.taskOf?.(task.tid)?.state !== 'R') return false
    pause(system, 1)
  }
}

function resume(process: Resumed, task: Task, going: Going, stop: Stop, signal: number): void {
  if (process.isLeaving) {
    task.left(stop)
    // A signal that is not passed on is not delivered by the detach, either.
    task.isInterrupted = signal === 0
    task.park('user', () => resume(process, task, going, stop, signal))
    task.stop = null
    return
  }
  const { behind } = task
  if (behind === null) {
    process.space.resume(task, going, stop, signal)
    return
  }
  task.behind = null
  task.resumption.queue(stop, signal)
  task.left(stop)
  process.giveBehind(task, behind)
}
