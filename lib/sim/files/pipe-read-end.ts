/** The read end of a pipe: read(2). */

import { constants } from '../../system/constants.ts'
import { EAGAIN } from '../base/results.ts'
import type { OpenFile, PollTable } from './open-file.ts'
import type { Pipe } from './pipe.ts'
import { PipeEnd } from './pipe-end.ts'
import { type Caller, QueuedWait, type WaitReason } from './wait.ts'

const { O_RDONLY, O_NONBLOCK, POLLIN, POLLRDNORM, POLLHUP } = constants

export class PipeReadEnd extends PipeEnd {
  constructor(pipe: Pipe, flags: number) {
    super(pipe, O_RDONLY | (flags & O_NONBLOCK))
    pipe.reader = this
  }

  get description(): string {
    return `the read end of ${this.channel}`
  }

  override get counterpart(): OpenFile {
    return this.pipe.writer
  }

  override read(task: Caller, buffer: Uint8Array): number {
    return buffer.length === 0 ? 0 : this.proceed(task, buffer, null)
  }

  /** Reads what there is. `wait` is the blocked call that tries again, null at the first attempt. */
  proceed(task: Caller, buffer: Uint8Array, wait: PipeRead | null): number {
    const { pipe } = this
    if (pipe.isEmpty) {
      if (!pipe.hasWriter) {
        this.kernel.trace.endSeen?.(pipe.writer)
        return 0
      }
      if (this.nonBlocking) return -EAGAIN
      return wait?.stay() ?? task.block(new PipeRead(task, this, buffer))
    }
    const wasFull = pipe.isFull
    const taken = pipe.take(buffer)
    // As on Linux, only the first free slot wakes a writer.
    if (wasFull && !pipe.isFull) pipe.wakeWriter()
    // A wake-up reaches one reader: it wakes the next while bytes are left.
    if (wait !== null && !pipe.isEmpty) pipe.wakeReader()
    return taken
  }

  poll(table: PollTable | null): number {
    const { pipe } = this
    pipe.polled = true
    table?.watch(pipe.readQueue)
    return (pipe.isEmpty ? 0 : POLLIN | POLLRDNORM) | (pipe.hasWriter ? 0 : POLLHUP)
  }

  protected override closed(): void {
    this.pipe.hasReader = false
    this.pipe.endClosed()
  }
}

/** A reader of an empty pipe. Each wake-up wakes one, in the order of arrival. */
class PipeRead extends QueuedWait {
  readonly #end: PipeReadEnd
  readonly #buffer: Uint8Array

  constructor(task: Caller, end: PipeReadEnd, buffer: Uint8Array) {
    super(task, end.pipe.readQueue, end)
    this.#end = end
    this.#buffer = buffer
  }

  enter(): void {
    this.queue.joinLast(this)
  }

  attempt(): number {
    return this.#end.proceed(this.task, this.#buffer, this)
  }

  get reason(): WaitReason {
    return { on: 'pipe-read', file: this.#end }
  }
}
