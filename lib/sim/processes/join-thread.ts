/** pthread_join(3): waits for a thread's end. Linux clears the thread's number in memory and wakes a futex there. */

import { EDEADLK, ESRCH } from '../base/results.ts'
import { QueuedWait, type WaitReason } from '../files/wait.ts'
import { WaitQueue } from '../files/wait-queue.ts'
import type { Task } from './task.ts'

/** Waits for a thread of the same process: 0, a negative errno, or blocked. */
export function joinThread(task: Task, thread: Task): number {
  if (thread.process !== task.process) return -ESRCH
  if (thread === task) return -EDEADLK
  return hasEnded(task, thread) ? 0 : task.block(new ThreadWait(task, thread))
}

function hasEnded(task: Task, thread: Task): boolean {
  if (thread.state !== 'zombie' && thread.state !== 'dead') return false
  task.kernel.trace.stateSeen?.(thread, task)
  return true
}

class ThreadWait extends QueuedWait<Task> {
  readonly #thread: Task

  constructor(task: Task, thread: Task) {
    thread.joiners ??= new WaitQueue()
    super(task, thread.joiners)
    this.#thread = thread
  }

  enter(): void {
    this.queue.joinShared(this)
  }

  attempt(): number {
    return hasEnded(this.task, this.#thread) ? 0 : this.stay()
  }

  get reason(): WaitReason {
    return { on: 'thread', tid: this.#thread.tid }
  }
}
