/** Resumes a thread from a stop as if nothing traced it, and keeps it in a group stop. */

import { constants } from '../../../system/constants.ts'
import { isErrno } from '../../../system/errors.ts'
import { signalNumber } from '../../../system/signals.ts'
import { type Passage, passageFrom } from './pass-on.ts'
import type { Task } from './task.ts'
import type { Stop } from './task-state.ts'

const { WCONTINUED } = constants

/** Polling interval for a kept group stop under 'traceme': the kernel reports no SIGCONT to that tracer. */
const lookForContinuationMs = 25

/** Resumes `task` from `stop`. A group stop that PTRACE_LISTEN cannot keep is kept until SIGCONT, beyond this call. */
export function passOn(task: Task, stop: Stop, keeper: GroupStopKeeper): void {
  const { system } = task.owner
  let passage = 'go' as Passage
  task.tolerateDeath(() => {
    const state = { stepped: task.resumption.going === 'step', isSignalDropped: task.isSignalDropped }
    // A breakpoint's trap is the tracer's own.
    passage = stop.trap !== undefined ? 'go' : passageFrom(system, task.tid, stop, state)
    if (passage === 'listen') task.listen()
    else if (passage !== 'stay')
      task.owner.resume(task, 'cont', stop, passage === 'deliver' ? (signalNumber(stop.signal) ?? 0) : 0)
  })
  if (passage === 'stay') keeper.keep(task, stop)
}

/** Keeps the threads of one process in their group stop until SIGCONT. They stay traced, so exitKill holds. */
export class GroupStopKeeper {
  readonly #kept = new Map<Task, Stop>()
  #isWaiting = false

  keep(task: Task, stop: Stop): void {
    this.#kept.set(task, stop)
    if (!this.#isWaiting) void this.#untilContinued(task)
  }

  /** The process was continued: resumes its threads. */
  continued(): void {
    for (const [task, stop] of [...this.#kept]) {
      this.#kept.delete(task)
      if (task.stop === stop) task.tolerateDeath(() => task.owner.resume(task, 'cont', stop, 0))
    }
  }

  async #untilContinued(first: Task): Promise<void> {
    this.#isWaiting = true
    const { system } = first.owner
    try {
      for (;;) {
        for (const [task, stop] of [...this.#kept]) if (task.stop !== stop) this.#kept.delete(task)
        const [task] = this.#kept.keys()
        if (task === undefined || task.watched.ended) return
        task.watched.alsoWaitFor(WCONTINUED)
        try {
          // Only a simulated System reports the continuation.
          if (system.kind === 'native') await task.next.waitWithin(lookForContinuationMs)
          else await task.next.wait()
        } finally {
          task.watched.alsoWaitFor(0)
        }
      }
    } catch (error) {
      // The task was lost, or let go: whatever waits for it has the error.
      if (!isErrno(error, 'ECHILD', 'ESRCH')) throw error
    } finally {
      this.#isWaiting = false
    }
  }
}
