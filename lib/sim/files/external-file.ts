/**
 * Files outside the simulation: they connect the simulated descriptors 0-2 to real input and output.
 *
 * A host call that blocks for outside input is a deadlock: input arrives on JavaScript's event loop, which the call
 * keeps from turning. An awaited call sees it. The kernel uses no Node API; the caller supplies the file, from
 * process.stdin or from a terminal in a page.
 */

import { constants } from '../../system/constants.ts'
import { blocked, EAGAIN } from '../base/results.ts'
import { OpenFile, type PollTable } from './open-file.ts'
import { type Caller, QueuedWait, type WaitReason } from './wait.ts'
import { WaitQueue } from './wait-queue.ts'
import type { World } from './world.ts'

const { POLLIN, POLLRDNORM, POLLOUT, POLLWRNORM, O_RDONLY, O_WRONLY, O_RDWR } = constants

/** The operations of an outside file. Without `read` it is write-only, without `write` read-only. */
export interface ExternalFile {
  /** Moves available bytes into the buffer; their number, 0 at end of file, undefined when there are none yet. */
  read?(buffer: Uint8Array): number | undefined
  /** Takes all of the bytes. */
  write?(data: Uint8Array): void
  /** Calls back whenever there may be input; returns the function that ends the watch. Used only while a call waits. */
  watch?(changed: () => void): () => void
}

/** The simulated side of an {@link ExternalFile}. */
export class ExternalOpenFile extends OpenFile {
  readonly description = 'a file outside the simulation'
  readonly #outside: ExternalFile
  readonly queue = new WaitQueue()
  #unwatch: (() => void) | null = null
  /** Bytes that a poll has read ahead: reading is the only way to find input. */
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

  /** Number of bytes read, 0 at end of file, undefined when there are none yet. */
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

  /** Watches for input until the first sign of it, which wakes all waiters. */
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
