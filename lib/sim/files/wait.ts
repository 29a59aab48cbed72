/**
 * Waiting: the one way in which a system call blocks.
 *
 * A call that cannot finish makes a {@link Wait} and returns `blocked`. A wake-up makes its task runnable; the
 * scheduler chooses when the task attempts the call again. Every wait states its {@link WaitReason}.
 */

import { blocked, restartOrEintr } from '../base/results.ts'
import type { Actor } from '../base/scheduler.ts'
import type { OpenFile } from './open-file.ts'
import type { Waiter, WaitQueue } from './wait-queue.ts'
import type { World } from './world.ts'

/** A task, as files know it. */
export interface Caller extends Actor {
  readonly kernel: World
  readonly process: {
    readonly id: number
    /** The program it runs, for reports. */
    readonly program: string
    readonly descriptors: { get(fd: number): OpenFile | undefined }
  }
  readonly state: string
  /** Makes the current call wait. */
  block(wait: Wait): typeof blocked
  /** Makes a waiting task runnable; whether it was waiting. */
  wake(): boolean
}

/** What a blocked call waits on. */
export type WaitReason =
  | {
      readonly on: 'pipe-read' | 'pipe-write' | 'socket-read' | 'socket-write' | 'external-read' | 'external-write'
      readonly file: OpenFile
    }
  | { readonly on: 'poll'; readonly files: readonly OpenFile[]; readonly deadline: number | undefined }
  | { readonly on: 'epoll'; readonly file: OpenFile; readonly deadline: number | undefined }
  | { readonly on: 'child'; readonly pid: number }
  | { readonly on: 'thread'; readonly tid: number }
  | { readonly on: 'exec'; readonly tids: readonly number[] }
  | { readonly on: 'vfork'; readonly pid: number }
  | { readonly on: 'sleep'; readonly deadline: number }
  | { readonly on: 'signal' }

/** A blocked system call. */
export abstract class Wait<Task extends Caller = Caller> implements Waiter {
  readonly task: Task
  /** The open file it works on. The wait holds a reference: closing the descriptor does not end the call. */
  readonly file: OpenFile | undefined
  /** When the wait times out, in the clock's milliseconds. */
  readonly deadline: number | undefined

  constructor(task: Task, file?: OpenFile, deadline?: number) {
    this.task = task
    this.file = file
    this.deadline = deadline
  }

  /** Only a fatal signal ends it (TASK_KILLABLE, state D in /proc): others stay pending meanwhile. */
  get isKillable(): boolean {
    return false
  }

  abstract get reason(): WaitReason

  /** Runs before each attempt. */
  beforeAttempt(): void {}

  /** Attempts the call again: its result, or `blocked` once it is back in its queues. */
  abstract attempt(): unknown

  /** Leaves its queues for good. */
  abstract leave(): void

  /** A signal ends the wait; the call's result. */
  interrupted(): unknown {
    this.leave()
    return restartOrEintr
  }

  /** Bytes that the call has moved before it had to wait; a signal ends it with these, whether it is handled or not. */
  get movedBytes(): number {
    return 0
  }

  /** What a restart does (restart_syscall(2)), such as sleeping the rest of its time; undefined for the same call. */
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

/** A blocked call in one queue. It is not in the queue while it runs: an attempt that finds nothing joins it again. */
export abstract class QueuedWait<Task extends Caller = Caller> extends Wait<Task> {
  protected readonly queue: WaitQueue

  constructor(task: Task, queue: WaitQueue, file?: OpenFile, deadline?: number) {
    super(task, file, deadline)
    this.queue = queue
    this.enter()
  }

  /** Joins the queue, at the place this kind of call has. The constructor calls it before subclass fields exist. */
  abstract enter(): void

  /** The queue's own wake-up has removed it; that of a signal or a deadline has not. */
  override beforeAttempt(): void {
    this.leave()
  }

  /** Waits on, after an attempt that found nothing. */
  stay(): typeof blocked {
    this.enter()
    return blocked
  }

  leave(): void {
    this.queue.remove(this)
  }
}
