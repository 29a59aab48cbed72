/** The ways to wait for a thread: asynchronously, blocking, and as an iteration. */

import { SystemError } from '../../../system/errors.ts'
import type { WaitStatus } from '../../../system/wait-status.ts'
import { checkWaitOptions, Deadline } from '../../base/deadline.ts'
import type { Task } from '../tasks/task.ts'
import type { Stop } from '../tasks/task-state.ts'
import { shownStop } from './describe-stop.ts'

/** The status that settles a wait at once: the task's shown stop, or its end; undefined while it runs. */
function statusOf(task: Task): WaitStatus<object> | undefined {
  // A stop of stopAll() is not shown.
  if (task.stop !== null && !task.isStopHidden) return shownStop(task)!
  return task.exit ?? undefined
}

/** Whether there is nothing more to wait for. */
function isOver(task: Task): boolean {
  return task.watched.ended || (task.hasEnded && !task.isMain)
}

/** The current stop, or else the next stop, or the end. */
export async function wait(
  task: Task,
  ended: () => Promise<WaitStatus>,
  options: unknown,
): Promise<WaitStatus<object>> {
  if (options === undefined) return nextStatus(task, ended, undefined)
  using deadline = new Deadline(task.owner.system, `waiting for ${nameOf(task)}`, checkWaitOptions(options), () =>
    task.watched.poll(),
  )
  return await nextStatus(task, ended, deadline.signal)
}

function nextStatus(
  task: Task,
  ended: () => Promise<WaitStatus>,
  signal: AbortSignal | undefined,
): WaitStatus<object> | Promise<WaitStatus<object>> {
  lookAtStop(task)
  return statusOf(task) ?? (isOver(task) ? ended() : task.next.wait(signal))
}

/** Checks whether a task is still at the stop that is known of it. A task without a known stop needs no check here. */
function lookAtStop(task: Task): void {
  if (task.stop !== null) task.look()
}

/** Like wait(), but blocks the thread. Meanwhile the changes of every other traced thread are taken, too. */
export function waitSync(task: Task): WaitStatus<object> {
  if (task.stop !== null || isDetached(task)) task.look()
  while (statusOf(task) === undefined && !isOver(task)) {
    if (isDetached(task)) throw task.detached('waitpid')
    refuseForever(task)
    task.watched.block()
  }
  const status = statusOf(task)
  if (status !== undefined) return status
  throw isDetached(task) ? task.detached('waitpid') : task.gone('waitpid', 'ECHILD')
}

function isDetached({ endReason, owner }: Task): boolean {
  return endReason === 'detach' || (endReason === null && owner.tracing === null)
}

/** Refuses a blocking wait for a thread that only this thread of Node could let go on. */
function refuseForever({ tid, owner, parked }: Task): void {
  const isLeaving = owner.isLeaving && !owner.hasEnded
  if (!isLeaving && parked?.by !== 'user') return
  const hint = isLeaving ? 'a detach() or handOff() is under way: await it' : 'stopAll() has stopped it: call contAll()'
  throw new SystemError({ errno: 'EDEADLK', syscall: 'waitpid', pid: tid, hint })
}

/** The task's stops, from the current one until its end: each once, and only while the task is at it. */
export async function* stops(task: Task, ended: () => Promise<WaitStatus>): AsyncGenerator<Stop, void, undefined> {
  let given: Stop | null = null
  for (;;) {
    lookAtStop(task)
    const status = statusOf(task)
    if (status?.kind === 'stopped' && status !== given) {
      given = status
      yield given
    } else if (status !== undefined && status.kind !== 'stopped') return
    else if (isOver(task)) {
      await ended()
      return
    } else await task.next.wait()
  }
}

function nameOf(task: Task): string {
  return task.isMain ? `process ${task.tid}` : `thread ${task.tid}`
}
