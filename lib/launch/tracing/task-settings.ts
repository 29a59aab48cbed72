/**
 * What every thread of a process is to have while it is traced: PTRACE_O_* options, and debug registers. Both are set
 * at a stop only: a thread that runs is interrupted for it.
 */

import { SystemError } from '../../system/errors.ts'
import type { System } from '../../system/system.ts'
import { interrupt } from './halt.ts'
import { birthsOfChildren, type Tracing } from './options.ts'
import type { Task } from './task.ts'
import { type WatchOptions, Watchpoints } from './watchpoints.ts'

interface Threads {
  readonly system: System
  readonly pid: number
  readonly tracing: Tracing | null
  readonly hasEnded: boolean
  readonly tasks: ReadonlyMap<number, Task>
}

export class TaskSettings {
  readonly watches: Watchpoints
  /** The PTRACE_O_* bits that every thread is to have. */
  options: number
  readonly #process: Threads

  constructor(process: Threads, options: number) {
    this.#process = process
    this.options = options
    this.watches = new Watchpoints(process.system)
  }

  /** Whether a thread does not have the options yet. */
  get isPending(): boolean {
    return [...this.#process.tasks.values()].some(task => task.options !== this.options && !task.hasEnded)
  }

  /** Gives a stopped task what was changed while it ran. */
  apply(task: Task): void {
    if (task.isUnborn) return
    if (task.options !== this.options) {
      this.#process.system.ptraceSetOptions(task.tid, this.options)
      task.options = this.options
    }
    if (task.watchesChanged) this.watches.apply(task)
  }

  applyAll(): void {
    for (const task of this.#process.tasks.values()) {
      if (task.isStopped) task.tolerateDeath(() => this.apply(task))
      else interrupt(task, this.#process.tracing)
    }
  }

  announceChildren(): void {
    if ((this.options & birthsOfChildren) === birthsOfChildren) return
    this.options |= birthsOfChildren
    this.applyAll()
  }

  watch(address: bigint, options: WatchOptions): Disposable {
    const { pid, tasks } = this.#process
    for (const task of tasks.values()) {
      if (task.isStopped || task.hasEnded) continue
      const hint = `thread ${task.tid} is not stopped: watch() needs all of them stopped, as by stopAll()`
      throw new SystemError({ errno: 'ESRCH', syscall: 'ptrace', pid, hint })
    }
    const { watches } = this
    const watch = watches.add(
      [...tasks.values()].filter(each => !each.hasEnded),
      address,
      options,
    )
    return {
      [Symbol.dispose]: () => {
        watches.remove(tasks.values(), watch)
        if (this.#process.tracing !== null && !this.#process.hasEnded) this.applyAll()
      },
    }
  }
}
