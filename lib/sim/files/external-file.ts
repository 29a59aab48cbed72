/**
 * A file of the world outside: where the simulated descriptors 0-2 meet those of the process that runs the simulation.
 *
 * The kernel knows no Node API, so whoever has one supplies the file: a terminal in a page does as well as process.stdin. News of input comes by
 * JavaScript's event loop, so an awaited call sees it; a host call that blocks for it is a deadlock, since nothing can come meanwhile.
 */

import { constants } from '../../system/constants.ts'
import { blocked, EAGAIN } from '../base/results.ts'
import { OpenFile, type PollTable } from './open-file.ts'
import { type Caller, QueuedWait, type WaitReason } from './wait.ts'
import { WaitQueue } from './wait-queue.ts'
import type { World } from './world.ts'

const { POLLIN, POLLRDNORM, POLLOUT, POLLWRNORM, O_RDONLY, O_WRONLY, O_RDWR } = constants

/** What a file outside does. Without `read` it is write-only, without `write` read-only. */
export interface ExternalFile {
  /** Moves what is there into the buffer: the bytes, 0 at end of file, undefined when there is nothing yet. */
  read?(buffer: Uint8Array): number | undefined
  /** Takes all of the bytes. */
  write?(data: Uint8Array): void
  /** Calls back whenever there may be something to read; returns the function that ends it. Somebody waits only while this is in use. */
  watch?(changed: () => void): () => void
}

/** The simulated side of an {@link ExternalFile}. */
export class ExternalOpenFile extends OpenFile {
  readonly description = 'a file outside the simulation'
  readonly #outside: ExternalFile
  readonly queue = new WaitQueue()
  #unwatch: (() => void) | null = null
  /** Bytes read ahead by a poll, which has no other way to know of them. */
  #ahead: Uint8Array | null = null
  #ended = false

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

  /** Bytes, 0 at the end, undefined when there is nothing yet. */
  tryRead(buffer: Uint8Array): number | undefined {
    if (this.#ahead !== null) {
      const bytes = Math.min(buffer.length, this.#ahead.length)
      buffer.set(this.#ahead.subarray(0, bytes))
      this.#ahead = bytes < this.#ahead.length ? this.#ahead.subarray(bytes) : null
      return bytes
    }
    if (this.#ended) return 0
    const bytes = this.#outside.read!(buffer)
    if (bytes === 0) this.#ended = true
    return bytes
  }

  override write(_task: Caller, data: Uint8Array): number {
    if (data.length > 0) this.#outside.write!(data.slice())
    return data.length
  }

  poll(table: PollTable | null): number {
    if (table !== null) {
      table.watch(this.queue)
      this.watchOutside()
    }
    let events = this.writable ? POLLOUT | POLLWRNORM : 0
    if (this.readable && this.#hasInput()) events |= POLLIN | POLLRDNORM
    return events
  }

  #hasInput(): boolean {
    if (this.#ahead !== null || this.#ended) return true
    const buffer = new Uint8Array(4096)
    const bytes = this.#outside.read!(buffer)
    if (bytes === undefined) return false
    if (bytes === 0) this.#ended = true
    else this.#ahead = buffer.subarray(0, bytes)
    return true
  }

  /** Asks to be told of input, while somebody waits for it. */
  watchOutside(): void {
    this.#unwatch ??=
      this.#outside.watch?.(() => {
        this.#unwatch?.()
        this.#unwatch = null
        this.queue.wakeAll(POLLIN | POLLRDNORM)
        this.kernel.stir()
      }) ?? null
  }

  protected override closed(): void {
    this.#unwatch?.()
    this.#unwatch = null
  }
}

/** A reader of what has not come in yet. */
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
