/**
 * Waiting: the one way in which a system call blocks.
 *
 * A call that cannot finish makes a {@link Wait} and answers `blocked`. When its task is woken the scheduler decides when the attempt is made
 * again; every wait can say who waits on what.
 */

import { restartOrEintr } from '../base/results.ts'
import type { Task } from '../processes/task.ts'
import type { OpenFile } from './open-file.ts'
import type { Waiter } from './wait-queue.ts'

/** What a blocked call waits on. */
export type WaitReason =
  | {
      readonly on: 'pipe-read' | 'pipe-write' | 'socket-read' | 'socket-write' | 'external-read'
      readonly file: OpenFile
    }
  | { readonly on: 'poll'; readonly files: readonly OpenFile[]; readonly deadline: number | undefined }
  | { readonly on: 'epoll'; readonly file: OpenFile; readonly deadline: number | undefined }
  | { readonly on: 'child'; readonly pid: number }
  | { readonly on: 'sleep'; readonly deadline: number }
  | { readonly on: 'signal' }

/** A blocked system call. */
export abstract class Wait implements Waiter {
  readonly task: Task
  /** The description it works on, held as long as it waits: closing the descriptor does not end the call. */
  readonly file: OpenFile | undefined
  /** When the wait ends by itself, in the clock's milliseconds; the attempt finds the time passed. */
  readonly deadline: number | undefined

  constructor(task: Task, file?: OpenFile, deadline?: number) {
    this.task = task
    this.file = file
    this.deadline = deadline
  }

  abstract get reason(): WaitReason

  /** Tries again: the call's result, or `blocked`, back in its queues. */
  abstract attempt(): unknown

  /** Leaves its queues, for good. */
  abstract leave(): void

  /** A signal ends the wait: the call's result then. */
  interrupted(): unknown {
    this.leave()
    return restartOrEintr
  }

  /** What a call that is restarted does in place of its beginning; undefined when it begins again. */
  restart(): (() => unknown) | undefined {
    return undefined
  }

  get timedOut(): boolean {
    return this.deadline !== undefined && this.task.kernel.clock.now() >= this.deadline
  }

  wake(_events: number): boolean {
    return this.task.wake()
  }
}
