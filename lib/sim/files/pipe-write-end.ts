/** The write end of a pipe: write(2). */

import { constants } from '../../system/constants.ts'
import { pageBytes } from '../base/page.ts'
import { EAGAIN, EPIPE, restartOrEintr } from '../base/results.ts'
import { SIGPIPE } from '../base/signal-numbers.ts'
import { halfInPieces } from './bytes.ts'
import type { OpenFile, PollTable } from './open-file.ts'
import type { Pipe } from './pipe.ts'
import { PipeEnd } from './pipe-end.ts'
import { type Caller, QueuedWait, type WaitReason } from './wait.ts'

const { O_DIRECT, O_NONBLOCK, O_WRONLY, POLLOUT, POLLWRNORM, POLLERR } = constants

export class PipeWriteEnd extends PipeEnd {
  constructor(pipe: Pipe, flags: number) {
    super(pipe, O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)))
    pipe.writer = this
  }

  get description(): string {
    return `the write end of ${this.channel}`
  }

  override get counterpart(): OpenFile {
    return this.pipe.reader
  }

  /** Whether each write is a packet of its own (O_DIRECT). */
  get #writesPackets(): boolean {
    return (this.flags & O_DIRECT) !== 0
  }

  override write(task: Caller, data: Uint8Array): number {
    if (data.length === 0) return 0
    const { pipe } = this
    if (!pipe.hasReader) return this.broken(task)
    const wasEmpty = pipe.isEmpty
    const done = this.fill(data, wasEmpty ? 0 : pipe.merge(data))
    const waits = done < data.length && !this.nonBlocking
    if (wasEmpty || (pipe.polled && !waits)) pipe.wakeReader()
    if (done === data.length) return done
    if (!waits) return done > 0 ? done : -EAGAIN
    return task.block(new PipeWrite(task, this, data, done))
  }

  /** Writes from `done` on what fits in the free slots; the number of bytes done afterwards. */
  fill(data: Uint8Array, done: number): number {
    return this.pipe.fill(data, done, this.#writesPackets)
  }

  /** A write with no reader: SIGPIPE and EPIPE. */
  broken(task: Caller): number {
    this.kernel.trace.endSeen?.(this.pipe.reader)
    this.kernel.raise(task, SIGPIPE)
    return -EPIPE
  }

  /** Cut at a page. A write that may be merged into the last slot is left whole: the merge would shift the cut. */
  override shortWriteBytes(bytes: number): number {
    if (bytes % pageBytes !== 0 && !this.pipe.isEmpty) return 0
    return halfInPieces(bytes, pageBytes)
  }

  poll(table: PollTable | null): number {
    const { pipe } = this
    pipe.polled = true
    table?.watch(pipe.writeQueue)
    return (pipe.isFull ? 0 : POLLOUT | POLLWRNORM) | (pipe.hasReader ? 0 : POLLERR)
  }

  protected override closed(): void {
    this.pipe.hasWriter = false
    this.pipe.endClosed()
  }
}

/** A writer whose data does not fit. */
class PipeWrite extends QueuedWait {
  readonly #end: PipeWriteEnd
  readonly #data: Uint8Array
  #done: number

  constructor(task: Caller, end: PipeWriteEnd, data: Uint8Array, done: number) {
    super(task, end.pipe.writeQueue, end)
    this.#end = end
    this.#data = data
    this.#done = done
  }

  enter(): void {
    this.queue.joinLast(this)
  }

  attempt(): number {
    const { pipe } = this.#end
    if (pipe.isFull && pipe.hasReader) return this.stay()
    const wasEmpty = pipe.isEmpty
    if (!pipe.hasReader) return this.#finish(wasEmpty, this.#end.broken(this.task))
    this.#done = this.#end.fill(this.#data, this.#done)
    if (this.#done === this.#data.length) return this.#finish(wasEmpty, 0)
    if (this.#end.nonBlocking) return this.#finish(wasEmpty, -EAGAIN)
    if (wasEmpty) pipe.wakeReader()
    return this.stay()
  }

  override interrupted(): number {
    this.leave()
    return this.#finish(this.#end.pipe.isEmpty, restartOrEintr)
  }

  override get movedBytes(): number {
    return this.#done
  }

  #finish(wasEmpty: boolean, otherwise: number): number {
    const { pipe } = this.#end
    if (wasEmpty || pipe.polled) pipe.wakeReader()
    if (!pipe.isFull) pipe.wakeWriter()
    return this.#done > 0 ? this.#done : otherwise
  }

  get reason(): WaitReason {
    return { on: 'pipe-write', file: this.#end }
  }
}
