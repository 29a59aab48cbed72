/** Decides which stops of a process are shown, and passes on those that are hidden. */

import { stopSignals } from '../../base/stop-signals.ts'
import { isBirth } from '../births/births.ts'
import type { AddressSpace } from '../memory/address-space.ts'
import type { TaskSettings } from '../stops/task-settings.ts'
import type { Halt } from '../tasks/halt.ts'
import type { Follow } from '../tasks/options.ts'
import { type GroupStopKeeper, passOn } from '../tasks/pass-on-task.ts'
import { optionOfEvent, type ShownEvents } from '../tasks/shown-events.ts'
import type { Task } from '../tasks/task.ts'
import type { Stop, ThreadFace } from '../tasks/task-state.ts'

interface Shown {
  /** A 'stray' is detached once it can be. */
  readonly kind: string
  readonly follow: Follow
  readonly isLeaving: boolean
  /** Whether its disposal is killing it. Its threads must then be resumed from the stops on the way to their ends. */
  readonly isDisposed: boolean
  /** Whether a step over a breakpoint keeps the threads from running. */
  readonly isGated: boolean
  readonly halt: Halt
  readonly keeper: GroupStopKeeper
  readonly settings: TaskSettings
  readonly shownEvents: ShownEvents
  readonly space: AddressSpace
  readonly faces: { thread(task: Task): ThreadFace } | undefined
  release(signal: undefined): void
}

/** Whether a thread is at its exit event, or at a birth whose first stop was that event. */
export function isOnItsWayOut({ heldBack }: Task, { event }: Stop): boolean {
  return event === 'exit' || heldBack?.event === 'exit'
}

export class Showing {
  readonly #process: Shown

  constructor(process: Shown) {
    this.#process = process
  }

  /** Shows a stop, or passes it on if it is hidden. */
  showOrPass(task: Task, stop: Stop): void {
    task.wasGroupStopped = stop.event === 'stop' && stopSignals.has(stop.signal)
    task.isListening = false
    if (this.#process.isLeaving && isOnItsWayOut(task, stop)) {
      // An exec by another thread waits for this one's end, and cannot be stopped before.
      task.stop = null
      task.tolerateDeath(() => task.resumption.goOn('cont'))
    } else if (this.#process.isLeaving) {
      // A loop that resumes threads must not get new stops during a detach. If the detach is undone, they are shown.
      task.park('user', () => this.showOrPass(task, stop))
      task.stop = null
    } else if (!this.#isHidden(task, stop)) {
      task.face ??= this.#process.faces?.thread(task)
      task.show(stop)
    } else if (this.#process.kind === 'stray' && stop.event === 'exec') this.#process.release(undefined)
    else if (this.#process.halt.isOn) task.park('user', () => this.#pass(task, stop))
    else this.#pass(task, stop)
  }

  #pass(task: Task, stop: Stop): void {
    task.stop = stop
    passOn(task, stop, this.#process.keeper)
  }

  #isHidden(task: Task, stop: Stop): boolean {
    if (this.#process.kind === 'stray') return true
    const { event } = stop
    // Resumed from any other stop, the program would run until it is killed.
    if (this.#process.isDisposed && isOnItsWayOut(task, stop)) return true
    if (event === 'vfork-done' || event === 'exit' || event === 'seccomp') {
      // An event that other code has enabled through System is shown.
      if (!this.#process.shownEvents.has(event) && (this.#process.settings.options & optionOfEvent[event]) !== 0)
        return true
    } else if (stop.child === undefined && isBirth(event, this.#process.settings.options)) return true
    return this.#process.follow === false && !task.isMain && stop.trap === undefined
  }

  /** An interrupt of the library has stopped a task: parks it, or resumes it if nothing needs the stop any more. */
  interrupted(task: Task): void {
    const isForUser = this.#process.halt.isStopping || this.#process.isLeaving
    if (isForUser || this.#process.isGated) {
      task.park(isForUser ? 'user' : 'gate', () => task.again())
      this.#process.space.changed()
    } else task.again()
  }
}
