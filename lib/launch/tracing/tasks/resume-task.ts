/** Resumes a thread from a stop, as its user asks. */

import { isErrno } from '../../../system/errors.ts'
import { privateCallsOf } from '../../../system/private-calls.ts'
import type { StopStatus } from '../../../system/wait-status.ts'
import { pause } from '../../base/pause.ts'
import type { Going } from './resumption.ts'
import type { Task } from './task.ts'
import type { Stop } from './task-state.ts'

interface Resumed {
  /** Whether no thread may run any more. */
  readonly isLeaving: boolean
  /** Sends tasks on over watched instructions. */
  readonly settings: { readonly watches: { passOver(task: Task): void } }
  /** Resumes tasks over its breakpoints. */
  readonly space: { resume(task: Task, going: Going, stop: Stop, signal: number): void }
  /** Shows a task's first stop, which was held back until the birth had been seen. */
  showHeldBack(task: Task, heldBack: StopStatus): void
}

export function resumeTask(process: Resumed, task: Task, going: Going, stop: Stop, signal: number): void {
  try {
    resume(process, task, going, stop, signal)
  } catch (error) {
    // The task was killed at its stop: its end is about to be reported, and says more than a refusal.
    if (!isErrno(error, 'ESRCH') || !isDying(task, stop)) throw error
    if (task.stop !== stop) return
    task.stop = null
    task.parked = null
  }
}

/**
 * Whether a breakpoint at the pc of a stop is still to stop the thread, although it is resumed from there: what the
 * stop is for came first. Within a system call and at a birth, the pc is that of the instruction after the call.
 */
export function isTrapToCome({ event, reason, trap, signal }: StopStatus): boolean {
  if (event !== undefined) return event !== 'exec' && (event !== 'stop' || reason === 'birth')
  return trap === undefined ? signal !== 'SIGTRAP' : trap.kind === 'watch'
}

/** The most looks at a thread that runs although nothing has resumed it. */
const mostLooks = 100

/**
 * Whether a thread was killed at its stop. It runs for an instant on its way to its exit event or its end. During that
 * instant nothing else shows that it was killed.
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
  // A thread at its exit event goes on: an exec by another thread waits for its end.
  if (process.isLeaving && stop.event !== 'exit') {
    task.left(stop)
    // The detach must not deliver a signal that the user has not passed on.
    task.isSignalDropped = signal === 0
    task.park('user', () => resume(process, task, going, stop, signal))
    task.stop = null
    return
  }
  const { heldBack } = task
  if (heldBack === null) {
    if (stop.trap?.on === 'execute' || !isTrapToCome(stop)) process.settings.watches.passOver(task)
    process.space.resume(task, going, stop, signal)
    return
  }
  task.heldBack = null
  task.resumption.queue(stop, signal)
  task.left(stop)
  process.showHeldBack(task, heldBack)
}
