/**
 * Waiting: the one way in which a system call blocks.
 *
 * A call that cannot finish makes a {@link Wait} and answers `blocked`. When its task is woken the scheduler decides when the attempt is made
 * again; every wait can say what it is on.
 */

import { type blocked, restartOrEintr } from '../base/results.ts'
import type { Actor } from '../base/scheduler.ts'
import type { OpenFile } from './open-file.ts'
import type { Waiter, WaitQueue } from './wait-queue.ts'
import type { World } from './world.ts'

/** A task, as the files it calls know it. */
export interface Caller extends Actor {
  readonly kernel: World
  readonly process: {
    readonly id: number
    /** The program it runs, for a report. */
    readonly program: string
    readonly descriptors: { get(fd: number): OpenFile | undefined }
  }
  readonly state: string
  /** Has its call wait. */
  block(wait: Wait): typeof blocked
  /** Lets a waiting task try again; whether it was waiting. */
  wake(): boolean
}

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
export abstract class Wait<Task extends Caller = Caller> implements Waiter {
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

/** A blocked call that stands in one queue: a wake-up takes it out, and an attempt that finds nothing enters again. */
export abstract class QueuedWait<Task extends Caller = Caller> extends Wait<Task> {
  protected readonly queue: WaitQueue

  constructor(task: Task, queue: WaitQueue, file?: OpenFile, deadline?: number) {
    super(task, file, deadline)
    this.queue = queue
    this.enter()
  }

  /** Takes its place in the queue; which place is the kind of call's. Called before a subclass has its fields. */
  abstract enter(): void

  leave(): void {
    this.queue.remove(this)
  }
}
