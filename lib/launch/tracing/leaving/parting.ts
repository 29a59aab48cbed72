/** The end of the tracing of a process that lives on: what is removed from it, what reaps it, what reports its end. */

import { privateCallsOf } from '../../../system/private-calls.ts'
import type { Signal } from '../../../system/signals.ts'
import type { ChildLife } from '../../children/child-life.ts'
import { type Creator, followingOf } from '../births/following.ts'
import type { AddressSpace, Member } from '../memory/address-space.ts'
import type { TaskSettings } from '../stops/task-settings.ts'
import type { Tracing } from '../tasks/options.ts'
import type { Task } from '../tasks/task.ts'
import { type Survivor, stayAtExit } from './leave-at-exit.ts'

interface Parting extends Member, Creator, Survivor {
  readonly kind: 'launched' | 'followed' | 'attached' | 'stray'
  readonly life: ChildLife
  readonly main: Task
  readonly tasks: Map<number, Task>
  readonly settings: TaskSettings
  readonly feeds: { wake(): void }
  readonly space: AddressSpace
  tracing: Tracing | null
}

/** Removes from a process what would stop or kill the program once it is detached. */
export function prepareToLeave(traced: Parting, isAtExit: boolean): void {
  // Not for a child whose parent is traced as well: a pidfd opened before the tracing ends has been seen to make the
  // parent's wait4(2) fail with ECHILD (Linux 6.18).
  if (!isAtExit && traced.kind === 'attached' && !isOwnChild(traced)) traced.life.openPidfd()
  traced.space.takeOut(traced)
  for (const task of traced.tasks.values()) if (!task.hasEnded) traced.settings.watches.empty(task)
}

/** Ends the tracing of a process of one thread at its stop. */
export function release(traced: Parting, signal: Signal | undefined): void {
  const { main, system, pid, life } = traced
  main.tolerateDeath(() => system.ptraceDetach(pid, signal))
  leave(traced)
  if (isOwnChild(traced)) life.keepAlive(false)
  else life.watched.forget()
}

/** The process is no longer traced. */
export function leave(traced: Parting): void {
  const { main, tasks, system, life, kind } = traced
  if (traced.tracing === null) return
  traced.tracing = null
  stayAtExit(traced)
  traced.space.remove(traced)
  followingOf(system).remove(traced)
  for (const task of [...tasks.values()]) {
    if (task.isMain) continue
    if (!task.isDying) task.watched.forget()
    tasks.delete(task.tid)
    task.finish('detach', null)
  }
  main.stop = null
  main.parked = null
  main.interceptor = null
  // No search among tracees finds it any more. A main thread that had ended or was killed before stays a tracee: the
  // parent does not get its end before this process has waited for it.
  if (isOwnChild(traced)) life.watched.isFoundBySearch = false
  else if (kind !== 'stray' && !main.isDying && !main.hasEnded) life.endElsewhere()
  traced.feeds.wake()
}

/** Whether this process is the one to reap it: CLONE_PARENT gives a child to its creator's parent. */
export function isOwnChild({ kind, system, pid, life }: Pick<Parting, 'kind' | 'system' | 'pid' | 'life'>): boolean {
  if (kind === 'launched' || life.isLaunched) return true
  return kind !== 'attached' && privateCallsOf(system)?.taskOf?.(pid)?.parent === process.pid
}
