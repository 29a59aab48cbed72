/** Memory that simulated threads and processes share. */

import type { Kernel } from './kernel.ts'
import type { Task } from './processes/task.ts'

/** One variable in shared memory: programs reach it by `process.load` and `process.store`, the host by `value`. */
export class Cell<Value> {
  readonly id: number
  /** For a report. */
  readonly name: string
  readonly #kernel: Kernel
  #value: Value

  constructor(kernel: Kernel, value: Value, name?: string) {
    this.#kernel = kernel
    this.id = kernel.newObjectId()
    this.name = name ?? `cell ${this.id}`
    this.#value = value
  }

  /** What is there, for the host. */
  get value(): Value {
    return this.#observed('load', [this], () => this.load(this.#kernel.host))
  }

  set value(value: Value) {
    this.#observed('store', [this, value], () => this.store(this.#kernel.host, value))
  }

  #observed<Result>(name: string, args: readonly unknown[], act: () => Result): Result {
    const { observer, host: task } = this.#kernel
    observer?.({ kind: 'call', task, name, args })
    const result = act()
    observer?.({ kind: 'result', task, result })
    return result
  }

  load(task: Task): Value {
    this.#kernel.touch(this)
    this.#kernel.onCellAccess?.(this as Cell<unknown>, task, 'load', this.#value)
    return this.#value
  }

  store(task: Task, value: Value): void {
    this.#kernel.touch(this)
    this.#kernel.onCellAccess?.(this as Cell<unknown>, task, 'store', value)
    this.#value = value
  }
}
