/**
 * Files outside the simulation: they connect the simulated descriptors 0-2 to real input and output.
 *
 * A host call that waits for such a file is a deadlock, unless the file changes while the thread is blocked: what comes
 * on JavaScript's event loop cannot come while the call keeps it from turning. An awaited call sees both. The kernel
 * uses no Node API; the caller supplies the file, over descriptors of the machine or a terminal in a page.
 */

import { constants } from '../../system/constants.ts'
import { blocked, EAGAIN, EPIPE, restartOrEintr } from '../base/results.ts'
import { SIGPIPE } from '../base/signal-numbers.ts'
import { OpenFile, type PollTable } from './open-file.ts'
import { bytesRead, bytesWritten, type ExternalFile, errnoThrown } from './outside-answers.ts'
import { type Caller, QueuedWait, type WaitReason } from './wait.ts'
import { WaitQueue } from './wait-queue.ts'
import type { OutsideWait, World } from './world.ts'

const { POLLIN, POLLRDNORM, POLLOUT, POLLWRNORM, O_RDONLY, O_WRONLY, O_RDWR } = constants

/** The simulated side of an {@link ExternalFile}. */
export class ExternalOpenFile extends OpenFile implements OutsideWait {
  readonly description = 'a file outside the simulation'
  readonly #outside: ExternalFile
  readonly queue = new WaitQueue()
  #unwatch: (() => void) | null = null
  /** Bytes that a poll has read ahead: reading is the only way to find input. */
  #ahead: Uint8Array | null = null
  #ended = false
  /** A poll has found no input since the watch began: until its callback there is none. */
  #isDry = false
  /** The latest write has ended for lack of room. */
  isFull = false

  constructor(kernel: World, outside: ExternalFile) {
    super(kernel, outside.write === undefined ? O_RDONLY : outside.read === undefined ? O_WRONLY : O_RDWR)
    this.#outside = outside
  }

  override read(task: Caller, buffer: Uint8Array): number {
    if (buffer.length === 0) return 0
    const bytes = this.tryRead(buffer)
    if (bytes !== undefined) return bytes
    return this.nonBlocking ? -EAGAIN : task.block(new ExternalRead(task, this, buffer))
  }

  /** Number of bytes read, 0 at end of file, undefined when there are none yet, or a negative errno. */
  tryRead(buffer: Uint8Array): number | undefined {
    if (this.#ahead !== null) {
      const bytes = Math.min(buffer.length, this.#ahead.length)
      buffer.set(this.#ahead.subarray(0, bytes))
      this.#ahead = bytes < this.#ahead.length ? this.#ahead.subarray(bytes) : null
      return bytes
    }
    if (this.#ended) return 0
    const bytes = this.#readOutside(buffer)
    if (bytes === 0) this.#ended = true
    return bytes
  }

  #readOutside(buffer: Uint8Array): number | undefined {
    try {
      return bytesRead(this.#outside.read!(buffer), buffer.length)
    } catch (error) {
      const errno = errnoThrown(error)
      return errno === -EAGAIN ? undefined : errno
    }
  }

  override write(task: Caller, data: Uint8Array): number {
    if (data.length === 0) return 0
    const done = this.tryWrite(task, data, 0)
    if (!this.isFull) return done
    if (this.nonBlocking) return done > 0 ? done : -EAGAIN
    return task.block(new ExternalWrite(task, this, data, done))
  }

  /**
   * Writes from `done` on, until {@link isFull} or an error: the number of bytes done afterwards, or the negative errno
   * if there are none. As on Linux, an error after the first bytes is left to the next write.
   */
  tryWrite(task: Caller, data: Uint8Array, done: number): number {
    this.isFull = false
    for (let at = done; at < data.length; ) {
      const bytes = this.#writeOutside(data.slice(at))
      if (bytes === 0 || bytes === -EAGAIN) {
        this.isFull = true
        // A poll that asks only for what is ready now begins no watch.
        this.watchOutside()
        return at
      }
      if (bytes === -EPIPE) this.kernel.raise(task, SIGPIPE)
      if (bytes < 0) return at > 0 ? at : bytes
      at += bytes
    }
    return data.length
  }

  #writeOutside(data: Uint8Array): number {
    try {
      return bytesWritten(this.#outside.write!(data), data.length)
    } catch (error) {
      return errnoThrown(error)
    }
  }

  poll(table: PollTable | null): number {
    if (table !== null) {
      table.watch(this.queue)
      this.watchOutside()
    }
    let events = this.writable && !(this.isFull && this.#unwatch !== null) ? POLLOUT | POLLWRNORM : 0
    if (this.readable && this.#hasInput()) events |= POLLIN | POLLRDNORM
    return events
  }

  #hasInput(): boolean {
    if (this.#ahead !== null || this.#ended) return true
    if (this.#isDry) return false
    const buffer = new Uint8Array(4096)
    const bytes = this.#readOutside(buffer)
    if (bytes === undefined) {
      this.#isDry = this.#unwatch !== null
      return false
    }
    if (bytes === 0) this.#ended = true
    // A read that fails does not wait: the caller's own read gets the error.
    else if (bytes > 0) this.#ahead = buffer.subarray(0, bytes)
    return true
  }

  /** Watches for input or room until the first sign of it, which wakes all waiters. */
  watchOutside(): void {
    if (this.#unwatch !== null || this.#outside.watch === undefined) return
    this.#unwatch = this.#outside.watch(() => this.changed())
    if (this.#outside.changesWhileBlocked) this.kernel.outsideWaits.add(this)
  }

  /** There may be input or room. */
  changed(): void {
    this.#endWatch()
    this.queue.wakeAll(POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM)
    this.kernel.stir()
  }

  #endWatch(): void {
    this.#isDry = false
    this.kernel.outsideWaits.delete(this)
    this.#unwatch?.()
    this.#unwatch = null
  }

  protected override closed(): void {
    this.#endWatch()
  }
}

/** A read(2) that waits for input. */
class ExternalRead extends QueuedWait {
  readonly #file: ExternalOpenFile
  readonly #buffer: Uint8Array

  constructor(task: Caller, file: ExternalOpenFile, buffer: Uint8Array) {
    super(task, file.queue, file)
    this.#file = file
    this.#buffer = buffer
    file.watchOutside()
  }

  enter(): void {
    this.queue.joinLast(this)
  }

  attempt(): number {
    const bytes = this.#file.tryRead(this.#buffer)
    if (bytes !== undefined) return bytes
    this.enter()
    this.#file.watchOutside()
    return blocked
  }

  get reason(): WaitReason {
    return { on: 'external-read', file: this.#file }
  }
}

/** A write(2) that waits for room. */
class ExternalWrite extends QueuedWait {
  readonly #file: ExternalOpenFile
  readonly #data: Uint8Array
  #done: number

  constructor(task: Caller, file: ExternalOpenFile, data: Uint8Array, done: number) {
    super(task, file.queue, file)
    this.#file = file
    this.#data = data
    this.#done = done
  }

  enter(): void {
    this.queue.joinLast(this)
  }

  attempt(): number {
    const done = this.#file.tryWrite(this.task, this.#data, this.#done)
    if (!this.#file.isFull) return done
    this.#done = done
    if (this.#file.nonBlocking) return done > 0 ? done : -EAGAIN
    return this.stay()
  }

  override interrupted(): number {
    this.leave()
    return this.#done > 0 ? this.#done : restartOrEintr
  }

  override get movedBytes(): number {
    return this.#done
  }

  get reason(): WaitReason {
    return { on: 'external-write', file: this.#file }
  }
}
