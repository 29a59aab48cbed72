import { removeFrom } from '../base/remove-from.ts'
import { youngArray } from '../base/young-array.ts'
import type { Task } from '../processes/task.ts'

/** The tasks that can step, in the order of creation. */
export class RunQueue {
  readonly #tasks = youngArray<Task>()

  get tasks(): readonly Task[] {
    return this.#tasks
  }

  add(task: Task): void {
    const tasks = this.#tasks
    task.state = 'runnable'
    let index = tasks.length
    while (index > 0 && tasks[index - 1]!.id > task.id) index--
    tasks.splice(index, 0, task)
  }

  /** Takes a task out, to run it or to end it. */
  take(task: Task): void {
    removeFrom(this.#tasks, task)
    task.state = 'running'
  }
}
