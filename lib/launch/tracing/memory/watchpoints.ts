/** The debug registers of a process: its watched addresses, in every thread. */

import { invalidValue } from '../../../system/arguments.ts'
import type { System } from '../../../system/system.ts'
import type { StopStatus, Trap } from '../../../system/wait-status.ts'
import type { Task } from '../tasks/task.ts'
import { refuseDeadRegisters } from './debug-register-probe.ts'
import type { DebugRegisters, Watch, WatchOptions } from './debug-registers.ts'
import { debugRegistersOf } from './machine-debug-registers.ts'

const sizes: readonly unknown[] = [1, 2, 4, 8] satisfies WatchOptions['size'][]
const kinds: readonly unknown[] = ['execute', 'write', 'access'] satisfies WatchOptions['on'][]

export class Watchpoints {
  readonly #system: System
  /** Set once a register has been used since the last exec: a trap may be due. */
  #registers: DebugRegisters | undefined

  constructor(system: System) {
    this.#system = system
  }

  get isUsed(): boolean {
    return this.#registers !== undefined
  }

  /** The exec has cleared them all. */
  clear(): void {
    this.#registers = undefined
  }

  /**
   * @throws SystemError EOPNOTSUPP if the machine's registers never fire, ENOSPC if all are in use; the kernel's own
   * error for a bad address.
   */
  add(tasks: readonly Task[], address: bigint, options: WatchOptions): Watch {
    const watch = { address, size: options.size, on: options.on }
    if (!sizes.includes(watch.size)) throw invalidValue('options.size', 'must be one of 1, 2, 4, 8', watch.size)
    if (!kinds.includes(watch.on)) {
      throw invalidValue('options.on', "must be one of 'execute', 'write', 'access'", watch.on)
    }
    refuseDeadRegisters(this.#system)
    const registers = this.#registers ?? debugRegistersOf(this.#system, tasks[0]!.tid)
    registers.add(watch)
    this.#registers = registers
    try {
      for (const task of tasks) this.apply(task)
    } catch (error) {
      this.remove(tasks, watch)
      throw error
    }
    return watch
  }

  remove(tasks: Iterable<Task>, watch: Watch): void {
    if (this.#registers?.remove(watch) === true) for (const task of tasks) task.watchesChanged = true
  }

  /** Writes a thread's registers. */
  apply(task: Task): void {
    task.watchesChanged = false
    this.#registers?.apply(task)
  }

  /** Empties a thread's registers. */
  empty(task: Task): void {
    this.#registers?.empty(task)
  }

  /** Resumes a task from a stop that only serves to get past a watched access or instruction; false for any other. */
  passUnseen(task: Task, status: StopStatus): boolean {
    return this.#registers?.passUnseen?.(task, status) === true
  }

  /** The watched address that a stop is for; 'stale' if the address is no longer watched. */
  trapOf(task: Task, status: StopStatus): Trap | 'stale' | undefined {
    if (status.event !== undefined || status.signal !== 'SIGTRAP') return undefined
    return this.#registers?.trapOf(task)
  }

  /** Lets a thread execute the instruction at its pc, though it is watched: the thread has stopped for it. */
  passOver(task: Task): void {
    this.#registers?.passOver(task)
  }

  /** Whether a single step has read or written a watched address. */
  hasSteppedOver(task: Task): boolean {
    return this.#registers?.hasSteppedOver(task) === true
  }
}
