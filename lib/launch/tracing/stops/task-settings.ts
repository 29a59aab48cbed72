/**
 * The settings of every traced thread of a process: PTRACE_O_* options and debug registers. Both can be set only at a
 * stop: a running thread is interrupted for it.
 */

import { SystemError } from '../../../system/errors.ts'
import type { System } from '../../../system/system.ts'
import type { StopStatus } from '../../../system/wait-status.ts'
import type { WatchOptions } from '../memory/debug-registers.ts'
import { Watchpoints } from '../memory/watchpoints.ts'
import { interrupt, isStopOverdue, resendMs, sendInterrupt } from '../tasks/halt.ts'
import { birthsOfChildren, type Tracing } from '../tasks/options.ts'
import { optionOfEvent, type ShownEvent, type ShownEvents } from '../tasks/shown-events.ts'
import type { Task } from '../tasks/task.ts'

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
  // The bits that the library itself needs, as opposed to those that a loop has asked for.
  #needed: number
  #isResending = false

  constructor(process: Threads, options: number) {
    this.#process = process
    this.options = options
    this.#needed = options
    this.watches = new Watchpoints(process.system)
  }

  /** Whether a thread does not have the options yet. */
  get isPending(): boolean {
    return [...this.#process.tasks.values()].some(task => task.options !== this.options && !task.hasEnded)
  }

  /** Gives a stopped task what was changed while it ran. */
  apply(task: Task): void {
    task.optionsAtStop = task.options
    if (task.isUnborn) return
    if (task.options !== this.options) {
      this.#process.system.ptraceSetOptions(task.tid, this.options)
      task.options = this.options
    }
    if (task.watchesChanged) this.watches.apply(task)
  }

  /**
   * Gives every thread what was changed: a running one at the stop of its interrupt, which nothing here waits for. A
   * thread in uninterruptible sleep, such as a vfork parent, stops once it wakes.
   */
  applyAll(): void {
    for (const task of this.#process.tasks.values()) {
      if (task.isStopped) {
        task.optionsReplaced |= task.options
        task.tolerateDeath(() => this.apply(task))
      } else interrupt(task, this.#process.tracing)
    }
    if (this.#process.tracing === 'traceme' && !this.#isResending && this.isPending) void this.#resend()
  }

  /** A SIGCONT from elsewhere drops the SIGSTOP of an interrupt. */
  async #resend(): Promise<void> {
    const { system, tasks } = this.#process
    this.#isResending = true
    for (;;) {
      await system.sleep(resendMs)
      const { tracing, hasEnded } = this.#process
      if (!this.isPending || tracing === null || hasEnded) break
      for (const task of tasks.values())
        if (task.options !== this.options && isStopOverdue(task, tracing)) sendInterrupt(task, tracing)
    }
    this.#isResending = false
  }

  get announcesForks(): boolean {
    return (this.#needed & birthsOfChildren) === birthsOfChildren
  }

  announceChildren(): void {
    if (this.announcesForks) return
    this.#needed |= birthsOfChildren
    this.options |= birthsOfChildren
    this.applyAll()
  }

  /** Turns off events that no loop asks for any more, unless the library needs them. */
  withdraw(events: readonly ShownEvent[], shown: ShownEvents): void {
    for (const event of events) if (!shown.has(event)) this.options &= ~optionOfEvent[event] | this.#needed
    if (this.isPending) this.applyAll()
  }

  /** Whether a stop is for an event that was turned off after the thread had stopped. */
  isWithdrawn({ optionsAtStop, optionsReplaced }: Task, { event }: StopStatus): boolean {
    if (event !== 'exit' && event !== 'seccomp' && event !== 'vfork-done') return false
    return (optionOfEvent[event] & (optionsAtStop | optionsReplaced) & ~this.options) !== 0
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
