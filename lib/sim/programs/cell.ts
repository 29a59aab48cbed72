/** Memory that simulated threads and processes share. */

import type { Kernel } from '../kernel/kernel.ts'
import type { TracedCell } from '../kernel/tracepoints.ts'
import type { CallRow, Request, Task } from '../processes/task.ts'

/** A kernel as its cells know it, until its run is over. */
export class CellsOwner {
  kernel: Kernel | null

  constructor(kernel: Kernel) {
    this.kernel = kernel
  }
}

/** One variable in shared memory: programs reach it by `process.load` and `process.store`, the host by `value`. */
export class Cell<Value> implements TracedCell {
  /** Its number within its world. */
  readonly id: number
  /** For a report. */
  readonly name: string
  /** Its accesses order each other, and none of them races. */
  readonly atomic: boolean
  /**
   * Not the kernel itself: programs are generators that close over cells, and V8 keeps what a generator function closes over beyond the
   * collections of young objects. Of worlds made by the thousand each would live that long.
   */
  readonly #owner: CellsOwner
  #value: Value

  constructor(owner: CellsOwner, id: number, value: Value, name?: string, atomic = false) {
    this.#owner = owner
    this.id = id
    this.name = name ?? `cell ${id}`
    this.atomic = atomic
    this.#value = value
  }

  /** What is there, for the host. */
  get value(): Value {
    const { kernel } = this.#owner
    if (kernel === null) return this.#value
    return kernel.perform(kernel.host, loading, task => this.load(task), [this]) as Value
  }

  set value(value: Value) {
    const { kernel } = this.#owner
    if (kernel === null) this.#value = value
    else kernel.perform(kernel.host, storing, task => this.store(task, value), [this, value])
  }

  /** Its value, read by a task. */
  load(task: Task): Value {
    this.#owner.kernel?.trace.cellAccessed?.(this, task, 'load', this.#value)
    return this.#value
  }

  /** Sets its value, as a task. */
  store(task: Task, value: Value): void {
    this.#owner.kernel?.trace.cellAccessed?.(this, task, 'store', value)
    this.#value = value
  }
}

const loading: CallRow = { name: 'load' }
const storing: CallRow = { name: 'store' }

/** Reads a cell: what a program yields for it. */
export function loadRequest<Value>(cell: Cell<Value>): Request {
  return { call: loading, args: [cell], act: task => cell.load(task) }
}

/** Writes a cell. */
export function storeRequest<Value>(cell: Cell<Value>, value: Value): Request {
  return { call: storing, args: [cell, value], act: task => cell.store(task, value) }
}
