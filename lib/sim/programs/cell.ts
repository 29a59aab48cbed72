/** Memory that simulated threads and processes share. */

import type { Kernel } from '../kernel/kernel.ts'
import type { Task } from '../processes/task.ts'

/** A kernel as its cells know it, until its run is over. */
export class CellsOwner {
  kernel: Kernel | null

  constructor(kernel: Kernel) {
    this.kernel = kernel
  }
}

/** One variable in shared memory: programs reach it by `process.load` and `process.store`, the host by `value`. */
export class Cell<Value> {
  /** Its number within its world. */
  readonly id: number
  /** For a report. */
  readonly name: string
  /**
   * Not the kernel itself: programs are generators that close over cells, and V8 keeps what a generator function closes over beyond the
   * collections of young objects. Of worlds made by the thousand each would live that long.
   */
  readonly #owner: CellsOwner
  #value: Value

  constructor(kernel: Kernel, value: Value, name?: string) {
    this.#owner = kernel.cells
    this.id = kernel.newObjectId()
    this.name = name ?? `cell ${this.id}`
    this.#value = value
  }

  /** What is there, for the host. */
  get value(): Value {
    const { kernel } = this.#owner
    return kernel === null ? this.#value : this.#observed(kernel, 'load', [this], () => this.load(kernel.host))
  }

  set value(value: Value) {
    const { kernel } = this.#owner
    if (kernel === null) this.#value = value
    else this.#observed(kernel, 'store', [this, value], () => this.store(kernel.host, value))
  }

  #observed<Result>(kernel: Kernel, name: string, args: readonly unknown[], act: () => Result): Result {
    const { observer, host: task } = kernel
    observer?.({ kind: 'call', task, name, args })
    const result = act()
    observer?.({ kind: 'result', task, result })
    return result
  }

  /** Its value, read by a task. */
  load(task: Task): Value {
    const { kernel } = task
    kernel.touch(this)
    kernel.onCellAccess?.(this as Cell<unknown>, task, 'load', this.#value)
    return this.#value
  }

  /** Sets its value, as a task. */
  store(task: Task, value: Value): void {
    const { kernel } = task
    kernel.touch(this)
    kernel.onCellAccess?.(this as Cell<unknown>, task, 'store', value)
    this.#value = value
  }
}
