/**
 * Pipes, pipe(7) to the byte.
 *
 * A pipe is a ring of one-page slots, not a ring of bytes, and that is observable. A slot is free again only once its
 * last byte is read. A write first merges its remainder (its length modulo a page) into the last slot, if it fits
 * there; the rest goes into free slots.
 *
 *     slots           write    merged    slots after
 *     (empty)         3        0         3
 *     3               3        3         6
 *     6               4100     4         10 4096
 *     2049            2049     0         2049 2049       4098 bytes do not fit in one page
 *
 * So 16 slots hold one write of 65,536 bytes, 21,840 writes of three bytes, or 16 writes of 2,049.
 */

import { constants } from '../../system/constants.ts'
import { pageBytes } from '../base/page.ts'
import { EBUSY, EINVAL, EPERM } from '../base/results.ts'
import { youngArray } from '../base/young-array.ts'
import { copyBytes } from './bytes.ts'
import type { OpenFile } from './open-file.ts'
import { WaitQueue } from './wait-queue.ts'
import type { World } from './world.ts'

const { POLLIN, POLLRDNORM, POLLOUT, POLLWRNORM } = constants

const defaultSlots = 16
/** /proc/sys/fs/pipe-max-size. Growing past it takes CAP_SYS_RESOURCE, which no simulated process has. */
const largestPipeBytes = 1_048_576
/** pipe-user-pages-soft: slots an unprivileged user may hold in all pipes. Beyond it, new pipes get two slots each. */
const softUserSlots = 16_384
const reducedSlots = 2

/** Pages of destroyed pipes, reused by new ones: an exploration makes thousands of worlds with pipes. */
const freePages: Uint8Array[] = []
const mostFreePages = 64

interface Slot {
  readonly page: Uint8Array
  offset: number
  length: number
  /** A later write may be appended to it. */
  mergeable: boolean
  /** One packet (O_DIRECT): a read that does not take all of it loses the rest. */
  packet: boolean
}

/** The channel itself, behind its two ends. */
export class Pipe {
  readonly kernel: World
  readonly id: number
  /** The two ends. Each sets its own field here when it is made. */
  reader!: OpenFile
  writer!: OpenFile
  hasReader = true
  hasWriter = true
  /** Blocked readers, and watchers of the read end. */
  readonly readQueue = new WaitQueue()
  /** Blocked writers, and watchers of the write end. */
  readonly writeQueue = new WaitQueue()
  /** Either end was polled. From then on every write wakes edge-triggered watchers, not only one into an empty pipe. */
  polled = false
  #slots = youngArray<Slot>()
  #capacity: number
  /** Slots read empty, reused by the next write. */
  #spare = youngArray<Slot>()

  constructor(kernel: World) {
    this.kernel = kernel
    this.id = kernel.newObjectId()
    this.#capacity = kernel.privileged || kernel.pipeSlots + defaultSlots <= softUserSlots ? defaultSlots : reducedSlots
    kernel.pipeSlots += this.#capacity
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

  /** Moves bytes into the buffer, across slots but never past the end of a packet; the number moved. */
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

  /** Appends the data's first `length % pageBytes` bytes to the last slot, if they fit there; the number appended. */
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

  /** Copies the data from `done` on into free slots; the number of bytes done afterwards. */
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

  /** F_SETPIPE_SZ: the new size in bytes, rounded up to a power-of-two number of pages. */
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

  /** An end was closed. Waiters on the other end look again; with both ends closed the pages go back. */
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
