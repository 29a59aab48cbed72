/**
 * Stamps of the bytes in a pipe, and of the free room of pipes and sockets.
 *
 * A read acquires only the writes of the bytes it takes. A write acquires only the reads that made the room it uses:
 *
 *     A writes 2 bytes, B writes 3      ranges: 2 bytes by A, 3 bytes by B
 *     C reads 2 bytes                   C acquires A's stamp, not B's
 */

import { youngArray } from '../base/young-array.ts'
import { joined, type Stamp } from './vector-clock.ts'

// Classes, not object literals, which V8 may allocate in the old generation: see youngArray.

class Range {
  bytes: number
  readonly stamp: Stamp | undefined

  constructor(bytes: number, stamp: Stamp | undefined) {
    this.bytes = bytes
    this.stamp = stamp
  }
}

/** The bytes in a pipe with their writers' stamps, and its free slots with the stamps of the reads that freed them. */
export class PipeStamps {
  readonly #ranges: Range[] = youngArray()
  /**
   * One stamp per free slot, in the order the slots became free. A write takes the slot that has been free longest, so
   * it acquires the read without which it would have had no room.
   */
  readonly #free: (Stamp | undefined)[] = youngArray()

  /** For a pipe that already holds `bytes`, whose writers are unknown. */
  constructor(bytes: number, freeSlots: number) {
    if (bytes > 0) this.#ranges.push(new Range(bytes, undefined))
    for (let i = 0; i < freeSlots; i++) this.#free.push(undefined)
  }

  put(bytes: number, stamp: Stamp): void {
    const last = this.#ranges[this.#ranges.length - 1]
    if (last?.stamp === stamp) last.bytes += bytes
    else this.#ranges.push(new Range(bytes, stamp))
  }

  /** Takes a free slot; the stamp of the read that freed it. */
  takeSlot(): Stamp | undefined {
    return this.#free.shift()
  }

  freeSlot(stamp: Stamp): void {
    this.#free.push(stamp)
  }

  /** Adds free slots, or removes them if `slots` is negative. */
  resize(slots: number, stamp: Stamp): void {
    for (let i = 0; i < slots; i++) this.#free.push(stamp)
    if (slots < 0) this.#free.splice(0, -slots)
  }

  /** Removes bytes from the front; the joined stamp of their writes. */
  take(bytes: number): Stamp | undefined {
    let stamp: Stamp | undefined
    for (let left = bytes; left > 0; ) {
      const first = this.#ranges[0]!
      if (first.stamp !== undefined) stamp = joined(stamp, first.stamp)
      const taken = Math.min(left, first.bytes)
      first.bytes -= taken
      left -= taken
      if (first.bytes === 0) this.#ranges.shift()
    }
    return stamp
  }

  /** The stamp of the first byte's write. */
  get firstByte(): Stamp | undefined {
    return this.#ranges[0]?.stamp
  }

  /** The joined stamp of all bytes' writes. */
  get allBytes(): Stamp | undefined {
    let stamp: Stamp | undefined
    for (const range of this.#ranges) if (range.stamp !== undefined) stamp = joined(stamp, range.stamp)
    return stamp
  }

  /** The stamp of the read that freed the next slot. */
  get nextSlot(): Stamp | undefined {
    return this.#free[0]
  }
}

/** Room that one read freed. */
class Freed {
  /** Its range within the sum of all costs ever freed. */
  readonly from: number
  readonly to: number
  readonly stamp: Stamp

  constructor(from: number, cost: number, stamp: Stamp) {
    this.from = from
    this.to = from + cost
    this.stamp = stamp
  }
}

/** The room in a socket's send buffer, with the stamps of the peer's reads that freed it. */
export class SendRoom {
  #spent: number
  #freed = 0
  readonly #reads: Freed[] = youngArray()

  /** For a socket whose queued messages already cost `spent`. */
  constructor(spent: number) {
    this.#spent = spent
  }

  free(cost: number, stamp: Stamp): void {
    this.#reads.push(new Freed(this.#freed, cost, stamp))
    this.#freed += cost
  }

  /** Takes room for a message; the joined stamp of the reads it {@link needed}. */
  spend(cost: number, limit: number): Stamp | undefined {
    const stamp = this.needed(limit)
    // Every later message needs these reads too. This one has acquired them, so they are no longer kept.
    while (this.#reads.length > 0 && this.#reads[0]!.to <= this.#spent - limit) this.#reads.shift()
    this.#spent += cost
    return stamp
  }

  /** The joined stamp of the reads without which the cost in use would not be below `limit`. */
  needed(limit: number): Stamp | undefined {
    let stamp: Stamp | undefined
    for (const read of this.#reads) {
      if (read.from > this.#spent - limit) break
      stamp = joined(stamp, read.stamp)
    }
    return stamp
  }
}
