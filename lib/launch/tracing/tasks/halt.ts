/** stopAll() and contAll(): stops every thread of a process, and resumes only those that it has stopped. */

import { isErrno } from '../../../system/errors.ts'
import type { System } from '../../../system/system.ts'
import { orAborted } from '../../base/deadline.ts'
import type { Tracing } from './options.ts'
import type { Task } from './task.ts'

/** A SIGCONT drops a pending SIGSTOP, and a trap uses up an interrupt: after this time without a stop, it is resent. */
export const resendMs = 50

interface Halted {
  readonly system: System
  readonly tracing: Tracing | null
  readonly tasks: ReadonlyMap<number, Task>
  /** Whether a step over a breakpoint keeps the threads from running. */
  readonly isGated: boolean
  readonly main: Task
  /** Checks whether the main thread has ended before the others, which no stop reports. */
  lookForMainEnd(): void
}

export class Halt {
  readonly #process: Halted
  readonly #waiters = new Set<() => void>()
  #isOn = false
  // How many calls of stopAll() are waiting; calls may overlap.
  #callsUnderWay = 0
  // Whether the threads stay stopped even if each of those calls rejects.
  #isKept = false

  constructor(process: Halted) {
    this.#process = process
  }

  /** Whether the threads are to stay stopped. */
  get isOn(): boolean {
    return this.#isOn
  }

  /** Whether interrupts of stopAll() are under way. */
  get isStopping(): boolean {
    return this.#callsUnderWay > 0
  }

  /** Stops every thread, at a stop that is shown like any other and that contAll() resumes as well. */
  async stopAllShown(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.stopAll(signal)
      for (const task of this.#process.tasks.values()) if (task.parked?.by === 'user') task.showParked()
    } finally {
      this.#isOn = false
    }
  }

  /** Whether every thread is at a stop, or has ended, or was lost to another waiter. */
  get isComplete(): boolean {
    for (const task of this.#process.tasks.values()) {
      if (!task.hasEnded && !task.isStopped && !task.watched.ended) return false
    }
    return true
  }

  /** Stops every thread. A rejection undoes it, unless an earlier or overlapping call wants the threads stopped. */
  async stopAll(signal: AbortSignal | undefined): Promise<void> {
    if (this.#callsUnderWay++ === 0) this.#isKept = this.#isOn
    this.#isOn = true
    for (const task of this.#process.tasks.values()) if (task.parked?.by === 'gate') task.parkFor('user')
    try {
      this.interruptAll()
      await this.#untilComplete(signal)
      this.#isKept = this.#isOn
    } catch (error) {
      if (this.#callsUnderWay === 1 && !this.#isKept) this.contAll()
      throw error
    } finally {
      this.#callsUnderWay--
    }
  }

  /** Resumes the threads that stopAll() has stopped, each by the request that it ran under. */
  contAll(): void {
    this.#isOn = false
    this.#isKept = false
    for (const task of [...this.#process.tasks.values()]) {
      if (task.parked?.by !== 'user') continue
      if (this.#process.isGated) task.parkFor('gate')
      else task.unpark()
    }
    this.changed()
  }

  /** Has the threads resumed if the stopAll() in progress rejects. */
  keepNoLonger(): void {
    this.#isKept = false
  }

  /** A thread was resumed from a stop of its own. While the threads are being stopped, it must stop again. */
  resumed(task: Task): void {
    if (this.#callsUnderWay > 0 && this.#isOn) interrupt(task, this.#process.tracing)
  }

  /** Interrupts every running thread. */
  interruptAll(): void {
    for (const task of this.#process.tasks.values()) interrupt(task, this.#process.tracing)
  }

  /** A thread has stopped or ended. */
  changed(): void {
    if (this.#waiters.size === 0 || (this.#isOn && !this.isComplete)) return
    for (const resolve of this.#waiters) resolve()
    this.#waiters.clear()
  }

  async #untilComplete(signal: AbortSignal | undefined): Promise<void> {
    const { system } = this.#process
    for (const task of [...this.#process.tasks.values()])
      if (!task.isStopped && !task.watched.ended) task.watched.check()
    while (this.#isOn && !this.isComplete) {
      const timer = this.#mayBeLate ? new AbortController() : undefined
      let resolve!: () => void
      const complete = new Promise<void>(done => {
        resolve = done
        this.#waiters.add(done)
      })
      const overdue = timer === undefined ? complete : system.sleep(resendMs, { signal: timer.signal }).catch(() => {})
      try {
        await orAborted(Promise.race([complete, overdue]), signal)
      } finally {
        this.#waiters.delete(resolve)
        timer?.abort(null)
      }
      if (!this.#isOn || this.isComplete) continue
      this.#resend()
      this.#process.lookForMainEnd()
    }
  }

  /** Whether a stop may fail to come, so that waiting is not enough. */
  get #mayBeLate(): boolean {
    const { tracing, tasks, main } = this.#process
    if (tracing === 'traceme' || (tasks.size > 1 && !main.isStopped && !main.hasEnded)) return true
    for (const { interruption } of tasks.values()) if (interruption.isOwnDoubtful) return true
    return false
  }

  #resend(): void {
    const { tracing, tasks } = this.#process
    for (const task of tasks.values()) if (isStopOverdue(task, tracing)) sendInterrupt(task, tracing)
  }
}

/** Whether a thread's stop is overdue: a SIGCONT may have dropped its interrupt, or a trap used it up. */
export function isStopOverdue(task: Task, tracing: Tracing | null): boolean {
  if (task.isStopped || task.hasEnded || task.isUnborn) return false
  return tracing === 'traceme' || task.interruption.isOwnDoubtful
}

/** Interrupts a running thread, unless an interrupt is on its way. */
export function interrupt(task: Task, tracing: Tracing | null): void {
  if (task.isStopped || task.hasEnded || task.isUnborn || task.interruption.isOwnDue) return
  sendInterrupt(task, tracing)
}

/** Interrupts a thread, even if an interrupt is on its way. */
export function sendInterrupt(task: Task, tracing: Tracing | null): void {
  if (tracing === null) return
  try {
    task.interruption.send('own', tracing)
  } catch (error) {
    // The thread has ended, and its end is about to be reported.
    if (!isErrno(error, 'ESRCH')) throw error
  }
}
