/**
 * The ends of a process's threads: by themselves, by an exec of one of them, or by the end of the process.
 *
 * The kernel tells the end of a thread before the exec or the end that it is part of.
 */

import type { ExitStatus } from '../../system/wait-status.ts'
import type { Task } from './task.ts'

interface Ending {
  readonly main: Task
  /** By tid; a thread that has ended is not in it. */
  readonly tasks: Map<number, Task>
}

export class Ends {
  readonly #process: Ending
  // Threads that the kernel no longer knows, before the exec event that tells why.
  readonly #gone = new Map<number, Task>()
  // Threads that ended while an exec or the end of the process was under way.
  readonly #endings = new Map<Task, ExitStatus>()

  constructor(process: Ending) {
    this.#process = process
  }

  /** A thread other than the main one has ended. */
  ended(task: Task, status: ExitStatus): void {
    this.#process.tasks.delete(task.tid)
    if (task.isEndingWithOthers) this.#endings.set(task, status)
    else task.finish('exit', status)
  }

  /** A thread has exec'ed, under the main thread's number from now on. */
  lost(task: Task): void {
    this.#gone.set(task.tid, task)
    this.#drop(task)
  }

  /** Every other thread has ended, and the main one goes on with the one that has exec'ed. */
  execed(formerTid: number): void {
    const { main, tasks } = this.#process
    const former = tasks.get(formerTid) ?? this.#gone.get(formerTid)
    if (this.#gone.size > 0) this.#gone.clear()
    if (tasks.size > 1) for (const task of [...tasks.values()]) if (task !== main) this.#drop(task)
    this.#finish('exec')
    main.replacedBy(former)
  }

  /** The process has ended. */
  allEnded(status: ExitStatus): void {
    this.#finish('exit')
    this.#process.main.finish('exit', status)
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
