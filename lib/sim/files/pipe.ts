/**
 * Pipes, pipe(7) to the byte.
 *
 * A pipe is a ring of slots of one page each, not a ring of bytes, and that shows: a slot is free again only when its last byte has been
 * read, and only the remainder of a write that does not fill whole pages may be merged into the last slot, if it fits behind what is there.
 * So 65,536 bytes fit in one write, but only 21,840 writes of three bytes, and 16 of 2,049.
 */

import { constants } from '../../system/constants.ts'
import { blocked, EAGAIN, EBUSY, EINVAL, EPERM, EPIPE, restartOrEintr } from '../base/results.ts'
import { SIGPIPE } from '../base/signal-numbers.ts'
import { youngArray } from '../base/young-array.ts'
import { copyBytes } from './bytes.ts'
import { OpenFile, type PollTable } from './open-file.ts'
import { type Caller, QueuedWait, type WaitReason } from './wait.ts'
import { WaitQueue } from './wait-queue.ts'
import type { World } from './world.ts'

const { O_DIRECT, O_RDONLY, O_WRONLY } = constants
const { POLLIN, POLLRDNORM, POLLOUT, POLLWRNORM, POLLHUP, POLLERR } = constants

/** Bytes in a slot, and what a write of at most that many keeps together (PIPE_BUF). */
export const pageBytes = 4096
const defaultSlots = 16
/** /proc/sys/fs/pipe-max-size: growing past it takes CAP_SYS_RESOURCE, which nobody here has. */
const largestPipeBytes = 1_048_576
/** Slots that a user without privilege may have in all pipes (pipe-user-pages-soft); after that new pipes get two. */
const softUserSlots = 16_384
const reducedSlots = 2

/** Pages of pipes that are gone, for new ones: worlds with pipes are made by the thousand. */
const freePages: Uint8Array[] = []
const mostFreePages = 64

interface Slot {
  readonly page: Uint8Array
  offset: number
  length: number
  /** A later write may be appended. */
  mergeable: boolean
  /** One write in packet mode: a read takes it whole or loses the rest. */
  packet: boolean
}

/** The channel itself, behind its two ends. */
export class Pipe {
  readonly kernel: World
  readonly id: number
  readonly reader: PipeEnd
  readonly writer: PipeEnd
  hasReader = true
  hasWriter = true
  /** Blocked readers and those who poll for data. */
  readonly readQueue = new WaitQueue()
  /** Blocked writers and those who poll for room. */
  readonly writeQueue = new WaitQueue()
  /** Once polled, every write is an event to edge-triggered watchers, not just the one that ends emptiness. */
  polled = false
  #slots = youngArray<Slot>()
  #capacity: number
  /** Pages read empty, for the next write to use. */
  #spare = youngArray<Slot>()

  constructor(kernel: World, flags: number) {
    this.kernel = kernel
    this.id = kernel.newObjectId()
    this.#capacity = kernel.privileged || kernel.pipeSlots + defaultSlots <= softUserSlots ? defaultSlots : reducedSlots
    kernel.pipeSlots += this.#capacity
    const inherited = flags & constants.O_NONBLOCK
    this.reader = new PipeEnd(this, O_RDONLY | inherited)
    this.writer = new PipeEnd(this, O_WRONLY | inherited | (flags & O_DIRECT))
  }

  get isEmpty(): boolean {
    return this.#slots.length === 0
  }

  get isFull(): boolean {
    return this.#slots.length >= this.#capacity
  }

  get freeSlots(): number {
    return this.#capacity - this.#slots.length
  }

  get capacityBytes(): number {
    return this.#capacity * pageBytes
  }

  get readableBytes(): number {
    let bytes = 0
    for (const slot of this.#slots) bytes += slot.length
    return bytes
  }

  /** Moves what is there into the buffer; whether a writer gained room by it is told by {@link wakeAfterRead}. */
  take(buffer: Uint8Array): number {
    let taken = 0
    while (taken < buffer.length && this.#slots.length > 0) {
      const slot = this.#slots[0]!
      const bytes = Math.min(slot.length, buffer.length - taken)
      copyBytes(slot.page, slot.offset, buffer, taken, bytes)
      taken += bytes
      const wasPacket = slot.packet
      this.kernel.trace.bytesTaken?.(this, wasPacket ? slot.length : bytes, wasPacket || bytes === slot.length)
      slot.offset += bytes
      slot.length -= bytes
      if (wasPacket) slot.length = 0
      if (slot.length === 0) {
        this.#slots.shift()
        if (this.#spare.length < 2) this.#spare.push(slot)
      }
      if (wasPacket) break
    }
    return taken
  }

  /** Appends to the last slot what of the data does not fill whole pages, if it fits there: the bytes taken. */
  merge(data: Uint8Array): number {
    const bytes = data.length % pageBytes
    const last = this.#slots[this.#slots.length - 1]
    if (bytes === 0 || last === undefined || !last.mergeable) return 0
    const end = last.offset + last.length
    if (end + bytes > pageBytes) return 0
    this.kernel.trace.bytesPut?.(this, bytes, false)
    copyBytes(data, 0, last.page, end, bytes)
    last.length += bytes
    return bytes
  }

  /** Fills free slots with the data from `done` on: how far it came. */
  fill(data: Uint8Array, done: number, packets: boolean): number {
    while (done < data.length && !this.isFull) {
      const bytes = Math.min(pageBytes, data.length - done)
      this.kernel.trace.bytesPut?.(this, bytes, true)
      const slot = this.#spare.pop() ?? {
        page: freePages.pop() ?? new Uint8Array(pageBytes),
        offset: 0,
        length: 0,
        mergeable: false,
        packet: false,
      }
      copyBytes(data, done, slot.page, 0, bytes)
      slot.offset = 0
      slot.length = bytes
      slot.mergeable = !packets
      slot.packet = packets
      this.#slots.push(slot)
      done += bytes
    }
    return done
  }

  wakeReader(): void {
    this.readQueue.wake(POLLIN | POLLRDNORM)
  }

  wakeWriter(): void {
    this.writeQueue.wake(POLLOUT | POLLWRNORM)
  }

  /** F_SETPIPE_SZ: rounded up to a power of two pages; the new size in bytes. */
  resize(bytes: number): number {
    const asked = bytes >>> 0
    if (asked > 0x80000000) return -EINVAL
    let slots = 1
    while (slots * pageBytes < asked) slots *= 2
    if (slots > this.#capacity && slots * pageBytes > largestPipeBytes) return -EPERM
    const ofUser = this.kernel.pipeSlots - this.#capacity + slots
    if (slots > this.#capacity && !this.kernel.privileged && ofUser > softUserSlots) return -EPERM
    if (slots < this.#slots.length) return -EBUSY
    this.kernel.pipeSlots = ofUser
    this.kernel.trace.pipeResized?.(this, slots - this.#capacity)
    this.#capacity = slots
    this.writeQueue.wake(0)
    return this.capacityBytes
  }

  /** An end was closed: everybody looks again. */
  endClosed(): void {
    if (!this.hasReader && !this.hasWriter) {
      this.kernel.pipeSlots -= this.#capacity
      for (const { page } of [...this.#slots.splice(0), ...this.#spare.splice(0)]) {
        if (freePages.length < mostFreePages) freePages.push(page)
      }
    } else {
      this.readQueue.wakeAll(0)
      this.writeQueue.wakeAll(0)
    }
  }
}

/** One end of a pipe, as an open file. */
export class PipeEnd extends OpenFile {
  readonly pipe: Pipe
  protected override readonly takesDirect = true

  constructor(pipe: Pipe, flags: number) {
    super(pipe.kernel, flags)
    this.pipe = pipe
  }

  get description(): string {
    return `the ${this.readable ? 'read' : 'write'} end of pipe ${this.pipe.id}`
  }

  override get counterpart(): OpenFile {
    return this.readable ? this.pipe.writer : this.pipe.reader
  }

  override read(task: Caller, buffer: Uint8Array): number {
    return buffer.length === 0 ? 0 : readPipe(task, this, buffer, null)
  }

  override write(task: Caller, data: Uint8Array): number {
    return data.length === 0 ? 0 : writePipe(task, this, data)
  }

  poll(table: PollTable | null): number {
    const { pipe } = this
    pipe.polled = true
    if (this.readable) {
      table?.watch(pipe.readQueue)
      return (pipe.isEmpty ? 0 : POLLIN | POLLRDNORM) | (pipe.hasWriter ? 0 : POLLHUP)
    }
    table?.watch(pipe.writeQueue)
    return (pipe.isFull ? 0 : POLLOUT | POLLWRNORM) | (pipe.hasReader ? 0 : POLLERR)
  }

  override readableBytes(): number {
    return this.pipe.readableBytes
  }

  override pipeSize(): number {
    return this.pipe.capacityBytes
  }

  override resizePipe(bytes: number): number {
    return this.pipe.resize(bytes)
  }

  protected override closed(): void {
    if (this.readable) this.pipe.hasReader = false
    else this.pipe.hasWriter = false
    this.pipe.endClosed()
  }
}

function readPipe(task: Caller, end: PipeEnd, buffer: Uint8Array, wait: PipeRead | null): number {
  const { pipe } = end
  if (pipe.isEmpty) {
    if (!pipe.hasWriter) {
      task.kernel.trace.toldEnd?.(pipe.writer)
      return 0
    }
    if (end.nonBlocking) return -EAGAIN
    if (wait !== null) {
      wait.enter()
      return blocked
    }
    return task.block(new PipeRead(task, end, buffer))
  }
  const wasFull = pipe.isFull
  const taken = pipe.take(buffer)
  // Room is news to writers only when there was none: Linux wakes nobody for a second free slot.
  if (wasFull && !pipe.isFull) pipe.wakeWriter()
  // A reader that was woken passes the wake-up on while there is more.
  if (wait !== null && !pipe.isEmpty) pipe.wakeReader()
  return taken
}

/** A reader of an empty pipe: woken one at a time, in the order they came. */
class PipeRead extends QueuedWait {
  readonly #end: PipeEnd
  readonly #buffer: Uint8Array

  constructor(task: Caller, end: PipeEnd, buffer: Uint8Array) {
    super(task, end.pipe.readQueue, end)
    this.#end = end
    this.#buffer = buffer
  }

  enter(): void {
    this.queue.joinLast(this)
  }

  attempt(): number {
    return readPipe(this.task, this.#end, this.#buffer, this)
  }

  get reason(): WaitReason {
    return { on: 'pipe-read', file: this.#end }
  }
}

function writePipe(task: Caller, end: PipeEnd, data: Uint8Array): number {
  const { pipe } = end
  if (!pipe.hasReader) {
    task.kernel.trace.toldEnd?.(pipe.reader)
    task.kernel.raise(task, SIGPIPE)
    return -EPIPE
  }
  const wasEmpty = pipe.isEmpty
  const done = pipe.fill(data, wasEmpty ? 0 : pipe.merge(data), (end.flags & O_DIRECT) !== 0)
  const waits = done < data.length && !end.nonBlocking
  if (wasEmpty || (pipe.polled && !waits)) pipe.wakeReader()
  if (done === data.length) return done
  if (!waits) return done > 0 ? done : -EAGAIN
  return task.block(new PipeWrite(task, end, data, done))
}

/** A writer with more to write than there is room for. */
class PipeWrite extends QueuedWait {
  readonly #end: PipeEnd
  readonly #data: Uint8Array
  #done: number

  constructor(task: Caller, end: PipeEnd, data: Uint8Array, done: number) {
    super(task, end.pipe.writeQueue, end)
    this.#end = end
    this.#data = data
    this.#done = done
  }

  enter(): void {
    this.queue.joinLast(this)
  }

  attempt(): number {
    const { task } = this
    const { pipe } = this.#end
    if (pipe.isFull && pipe.hasReader) {
      this.enter()
      return blocked
    }
    const wasEmpty = pipe.isEmpty
    if (!pipe.hasReader) {
      task.kernel.trace.toldEnd?.(pipe.reader)
      task.kernel.raise(task, SIGPIPE)
      return this.#finish(wasEmpty, -EPIPE)
    }
    this.#done = pipe.fill(this.#data, this.#done, (this.#end.flags & O_DIRECT) !== 0)
    if (this.#done === this.#data.length) return this.#finish(wasEmpty, 0)
    if (this.#end.nonBlocking) return this.#finish(wasEmpty, -EAGAIN)
    if (wasEmpty) pipe.wakeReader()
    this.enter()
    return blocked
  }

  override interrupted(): number {
    this.leave()
    return this.#finish(this.#end.pipe.isEmpty, restartOrEintr)
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
