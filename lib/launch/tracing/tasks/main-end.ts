/** The end of a main thread before the others. The kernel reports it only once the others have ended, too. */

import { privateCallsOf } from '../../../system/private-calls.ts'
import type { System } from '../../../system/system.ts'
import { decodeWaitStatus, type ExitStatus } from '../../../system/wait-status.ts'
import type { Tracing } from './options.ts'
import type { Task } from './task.ts'

/** A main thread that is a zombie for this long was not replaced by an exec. */
const confirmMs = 10
/** More threads mean more SIGCHLDs and a slower /proc: one look serves all SIGCHLDs of this time for each thread. */
const confirmMsPerThread = 1 / 20

interface Threads {
  readonly system: System
  readonly pid: number
  readonly main: Task
  readonly tasks: ReadonlyMap<number, Task>
  readonly tracing: Tracing | null
  /** Settles what waits for all threads to be stopped. */
  threadEnded(): void
}

export class MainEnd {
  readonly #process: Threads
  #isConfirming = false

  constructor(process: Threads) {
    this.#process = process
  }

  /** A SIGCHLD came without a change: the main thread may have ended. */
  quiet(): void {
    const { system, main, tasks, tracing } = this.#process
    if (tasks.size === 1 || main.hasEnded || main.isStopped || tracing === null) return
    if (!this.#isConfirming && privateCallsOf(system)?.taskOf !== undefined) void this.#confirm()
  }

  /**
   * The wait status of a main thread that has ended before the others; undefined if it has not, or if an exec is only
   * replacing it.
   */
  #zombie(): number | undefined {
    const { system, pid, tasks } = this.#process
    const calls = privateCallsOf(system)
    if (calls?.isZombie?.(pid) === false) return undefined
    const facts = calls?.taskOf?.(pid)
    if (facts?.state !== 'Z') return undefined
    for (const task of tasks.values()) if (!task.isMain && calls?.isExecing?.(task.tid) === true) return undefined
    return facts.exitStatus ?? 0
  }

  /**
   * One look serves all SIGCHLDs of an interval. A second look confirms the first, since an exec by another thread also
   * leaves the main one a zombie for an instant.
   */
  async #confirm(): Promise<void> {
    const { system, main, tasks } = this.#process
    this.#isConfirming = true
    await system.sleep(confirmMs + Math.trunc(tasks.size * confirmMsPerThread))
    if (this.#zombie() !== undefined) await system.sleep(confirmMs)
    this.#isConfirming = false
    const status = this.#zombie()
    if (status === undefined || main.hasEnded || tasks.size === 1 || this.#process.tracing === null) return
    main.finish('exit', decodeWaitStatus(status) as ExitStatus)
    this.#process.threadEnded()
  }
}
