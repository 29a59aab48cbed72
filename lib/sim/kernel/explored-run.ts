/** What an exploration adds to the world of one of its runs. */

import type { Actor } from '../base/scheduler.ts'
import type { Action, CallRow, Task } from '../processes/task.ts'

/** Faults that the scheduler may inject. */
export interface Faults {
  /** Whether the bound allows one more. */
  readonly isPossible: boolean
  /** The options, and the faults that happen between calls: processes killed. */
  withKills(options: readonly Actor[]): readonly Actor[]
  /** Carries out a chosen kill. */
  kill(chosen: Actor): void
  /** Carries out a call, or the fault the scheduler chooses in its place. */
  perform(task: Task, call: CallRow, act: Action, args: readonly unknown[]): unknown
}

/** A run of an exploration: its world moves only by EventLoop.move(), and which waiter wakes is a choice. */
export class ExploredRun {
  /** Identifies the exploration; several may be under way at once. */
  readonly runner: object
  readonly faults: Faults | null
  /** The run has ended: the world makes no more moves, and calls of its host throw. */
  isOver = false
  /** Calls and awaits of the host so far. */
  hostCalls = 0

  constructor(runner: object, faults: Faults | null = null) {
    this.runner = runner
    this.faults = faults
  }
}
