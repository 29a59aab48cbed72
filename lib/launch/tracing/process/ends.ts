/**
 * The ends of a process's threads: by themselves, by an exec of one of them, or by the end of the process.
 *
 * The kernel reports the end of a thread before the exec, or the end of the process, that it is part of.
 */

import type { SystemError } from '../../../system/errors.ts'
import { privateCallsOf } from '../../../system/private-calls.ts'
import type { ExitStatus, StopStatus } from '../../../system/wait-status.ts'
import { type Creator, followingOf } from '../births/following.ts'
import { type Survivor, stayAtExit } from '../leaving/leave-at-exit.ts'
import type { AddressSpace, Member } from '../memory/address-space.ts'
import type { Task } from '../tasks/task.ts'
import type { Stop } from '../tasks/task-state.ts'

interface Ending extends Member, Creator, Survivor {
  readonly kind: string
  readonly main: Task
  /** The living threads, by tid. */
  readonly tasks: Map<number, Task>
  readonly births: { readonly isManyThreaded: boolean }
  readonly settings: { readonly watches: { clear(): void } }
  readonly feeds: { fail(error: Error): void; wake(): void }
  mayLeaveChildren: boolean
  memoryMark: number
  space: AddressSpace
  /** From now on it may start other tasks, and outlive its tracer. */
  runsFreely(): void
  /** Settles what waits for all threads to be stopped. */
  threadEnded(): void
}

export class Ends {
  readonly #process: Ending
  // Threads that the kernel no longer knows, until the exec event that explains it.
  readonly #gone = new Map<number, Task>()
  // Threads that ended while an exec or the end of the process was under way.
  readonly #endings = new Map<Task, ExitStatus>()
  #hasExeced = false
  #formerTid = 0

  constructor(process: Ending) {
    this.#process = process
  }

  /** The tid that the thread of the latest exec had before it. */
  get formerTid(): number {
    return this.#formerTid
  }

  /** The launch is over. There is no other thread, and no user code has had the process before. */
  launched(status: StopStatus): void {
    const { main, pid } = this.#process
    this.#process.runsFreely()
    this.#markMemory()
    this.#hasExeced = true
    this.#formerTid = pid
    main.at = status
    main.stop = status as Stop
  }

  /** Every other thread has ended, and the thread that has exec'ed is the main one from now on. */
  execed(main: Task): void {
    const { kind, pid, system, settings } = this.#process
    // Before its first exec, a launched child has one thread.
    const isFirst = kind === 'launched' && !this.#hasExeced
    if (isFirst) this.#process.runsFreely()
    const former = isFirst ? pid : main.eventMessage()
    this.#hasExeced = true
    this.#formerTid = former
    // Children whose creator the exec has killed have a copy of the old memory: they are adopted while it is known.
    followingOf(system).adoptEarly(this.#process)
    this.#process.space = this.#process.space.renewed(this.#process)
    this.#markMemory()
    settings.watches.clear()
    this.#replaceBy(former)
  }

  /** Only while it lives can it be known: a zombie has no memory. */
  #markMemory(): void {
    const { system, pid } = this.#process
    this.#process.memoryMark = privateCallsOf(system)?.memoryMarkOf?.(pid) ?? 0
  }

  /** A thread has ended: the main one with its process. */
  ended(task: Task, status: ExitStatus): void {
    task.stop = null
    task.parked = null
    if (task.isMain) this.#allEnded(status)
    else {
      this.#process.tasks.delete(task.tid)
      if (task.isEndingWithOthers) this.#endings.set(task, status)
      else task.finish('exit', status)
    }
    this.#process.threadEnded()
  }

  /**
   * The kernel no longer knows a thread. It has exec'ed and has the main thread's number now; or another waiter has
   * reaped the process.
   */
  lost(task: Task, error?: SystemError): void {
    if (!task.isMain) {
      this.#gone.set(task.tid, task)
      this.#drop(task)
    } else if (error !== undefined) {
      task.stop = null
      task.parked = null
      task.fail(error)
      followingOf(this.#process.system).remove(this.#process)
      this.#process.feeds.fail(error)
    }
    this.#process.threadEnded()
  }

  #replaceBy(formerTid: number): void {
    const { main, tasks } = this.#process
    const former = tasks.get(formerTid) ?? this.#gone.get(formerTid)
    if (this.#gone.size > 0) this.#gone.clear()
    if (tasks.size > 1) for (const task of [...tasks.values()]) if (task !== main) this.#drop(task)
    this.#finish('exec')
    main.replacedBy(former)
  }

  #allEnded(status: ExitStatus): void {
    const { main, tasks, births, system } = this.#process
    this.#process.mayLeaveChildren = births.isManyThreaded || status.kind !== 'exited'
    for (const task of [...tasks.values()]) if (task !== main) this.lost(task)
    this.#finish('exit')
    main.finish('exit', status)
    stayAtExit(this.#process)
    this.#process.space.remove(this.#process)
    followingOf(system).remove(this.#process)
    this.#process.feeds.wake()
  }

  #drop(task: Task): void {
    task.watched.forget()
    this.#process.tasks.delete(task.tid)
    task.finish('exec', null)
  }

  #finish(reason: 'exit' | 'exec'): void {
    if (this.#endings.size === 0) return
    const endings = [...this.#endings]
    this.#endings.clear()
    for (const [task, status] of endings) task.finish(reason, status)
  }
}
