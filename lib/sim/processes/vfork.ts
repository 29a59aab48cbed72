/** vfork(2): the parent sleeps until its child execs or ends. */

import { blocked } from '../base/results.ts'
import { Wait, type WaitReason } from '../files/wait.ts'
import type { Task } from './task.ts'

/** Waits for the child's exec or end. A fatal signal ends the wait, and no other does. */
export function* waitForVfork(task: Task, child: Task): Generator<void, void, void> {
  while (child.vforkParent === task && !task.killed) {
    task.block(new VforkWait(task, child))
    yield
    task.unblock()
  }
  task.kernel.trace.stateSeen?.(child, task)
}

/** The child leaves its parent's memory: the parent goes on. */
export function endVfork(child: Task): void {
  const parent = child.vforkParent
  if (parent === null) return
  child.vforkParent = null
  child.kernel.trace.processUsed?.(parent.process)
  parent.wake()
}

class VforkWait extends Wait<Task> {
  readonly #child: Task

  constructor(task: Task, child: Task) {
    super(task)
    this.#child = child
  }

  override get isKillable(): boolean {
    return true
  }

  attempt(): number {
    return this.#child.vforkParent === this.task ? blocked : 0
  }

  leave(): void {}

  get reason(): WaitReason {
    return { on: 'vfork', pid: this.#child.process.id }
  }
}
