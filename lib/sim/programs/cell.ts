/** Memory shared by simulated threads and processes. */

import { checkHostActs } from '../kernel/host-acts.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { TracedCell } from '../kernel/tracepoints.ts'
import type { CallRow, Request, Task } from '../processes/task.ts'

/** The cells' reference to their kernel. It ends with the run. */
export class CellsOwner {
  kernel: Kernel | null

  constructor(kernel: Kernel) {
    this.kernel = kernel
  }
}

/** A variable in shared memory. Programs use `process.load` and `process.store`, the host uses `value`. */
export class Cell<Value> implements TracedCell {
  /** Its number within its world. */
  readonly id: number
  /** The name for reports. */
  readonly name: string
  /** Whether its accesses order each other and never race. */
  readonly atomic: boolean
  /**
   * A direct reference would leak the kernel of every world that an exploration makes: programs close over cells, and
   * V8's collections of young objects do not free what a generator function closes over.
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

  /** The current value, for the host. */
  get value(): Value {
    const { kernel } = this.#owner
    if (kernel === null) return this.#value
    checkHostActs(kernel, `the host's access to ${this.name}`, 'yield* process.load(cell)')
    return kernel.perform(kernel.host, loading, task => this.load(task), [this]) as Value
  }

  set value(value: Value) {
    const { kernel } = this.#owner
    if (kernel === null) {
      this.#value = value
      return
    }
    checkHostActs(kernel, `the host's access to ${this.name}`, 'yield* process.store(cell, value)')
    kernel.perform(kernel.host, storing, task => this.store(task, value), [this, value])
  }

  /** Whether it is a cell of this kernel; false for each once the run is over. */
  isOf(kernel: object): boolean {
    return this.#owner.kernel === kernel
  }

  /** Reads the value as a task. */
  load(task: Task): Value {
    this.#owner.kernel?.trace.cellAccessed?.(this, task, 'load', this.#value)
    return this.#value
  }

  /** Writes the value as a task. */
  store(task: Task, value: Value): void {
    this.#owner.kernel?.trace.cellAccessed?.(this, task, 'store', value)
    this.#value = value
  }
}

const loading: CallRow = { name: 'load', isAccess: true }
const storing: CallRow = { name: 'store', isAccess: true }

/** The request that reads a cell. */
export function loadRequest<Value>(maker: Task, cell: Cell<Value>): Request {
  return { call: loading, args: [cell], act: task => cell.load(task), maker }
}

/** The request that writes a cell. */
export function storeRequest<Value>(maker: Task, cell: Cell<Value>, value: Value): Request {
  return { call: storing, args: [cell, value], act: task => cell.store(task, value), maker }
}
