/** Which clocks the bytes of a pipe carry, and which the room of a pipe or a socket: who reads or writes acquires those it uses, no others. */

import { youngArray } from '../base/young-array.ts'
import { joined, type Stamp } from './vector-clock.ts'

// Classes and not literals, which V8 may put into the old generation: see youngArray.

class Range {
  bytes: number
  readonly stamp: Stamp | undefined

  constructor(bytes: number, stamp: Stamp | undefined) {
    this.bytes = bytes
    this.stamp = stamp
  }
}

/** The bytes in a pipe, and its free slots, with the stamps of those who wrote and freed them. */
export class PipeStamps {
  readonly #ranges: Range[] = youngArray()
  /**
   * One for each free slot, in the order they became free. The slot a write takes is the one that has been free longest, so a write acquires
   * the read without which it would not have had room.
   */
  readonly #free: (Stamp | undefined)[] = youngArray()

  /** Of a pipe that holds `bytes` written before anybody looked. */
  constructor(bytes: number, freeSlots: number) {
    if (bytes > 0) this.#ranges.push(new Range(bytes, undefined))
    for (let i = 0; i < freeSlots; i++) this.#free.push(undefined)
  }

  put(bytes: number, stamp: Stamp): void {
    const last = this.#ranges[this.#ranges.length - 1]
    if (last?.stamp === stamp) last.bytes += bytes
    else this.#ranges.push(new Range(bytes, stamp))
  }

  /** Takes a free slot: the stamp of whoever freed it. */
  takeSlot(): Stamp | undefined {
    return this.#free.shift()
  }

  freeSlot(stamp: Stamp): void {
    this.#free.push(stamp)
  }

  /** The size has changed by so many slots, all of them free. */
  resize(slots: number, stamp: Stamp): void {
    for (let i = 0; i < slots; i++) this.#free.push(stamp)
    if (slots < 0) this.#free.splice(0, -slots)
  }

  /** Removes bytes from the front: what they were written with. */
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

  /** What the first byte was written with. */
  get firstByte(): Stamp | undefined {
    return this.#ranges[0]?.stamp
  }

  /** What all of the bytes were written with. */
  get allBytes(): Stamp | undefined {
    let stamp: Stamp | undefined
    for (const range of this.#ranges) if (range.stamp !== undefined) stamp = joined(stamp, range.stamp)
    return stamp
  }

  /** Who made the next slot free. */
  get nextSlot(): Stamp | undefined {
    return this.#free[0]
  }
}

/** Room that a read made. */
class Freed {
  /** Of all costs ever freed: where this one begins and ends. */
  readonly from: number
  readonly to: number
  readonly stamp: Stamp

  constructor(from: number, cost: number, stamp: Stamp) {
    this.from = from
    this.to = from + cost
    this.stamp = stamp
  }
}

/** The send buffer of a socket: which reads of its peer made the room there is. */
export class SendRoom {
  #spent: number
  #freed = 0
  readonly #reads: Freed[] = youngArray()

  /** Of a socket whose messages hold so much already. */
  constructor(spent: number) {
    this.#spent = spent
  }

  free(cost: number, stamp: Stamp): void {
    this.#reads.push(new Freed(this.#freed, cost, stamp))
    this.#freed += cost
  }

  /** Takes room for a message: the stamp of those reads without which less than `limit` would not have been in use. */
  spend(cost: number, limit: number): Stamp | undefined {
    const stamp = this.needed(limit)
    // What this message needed, every later one needs too: it has been acquired here, as far as it goes by order of the sends.
    while (this.#reads.length > 0 && this.#reads[0]!.to <= this.#spent - limit) this.#reads.shift()
    this.#spent += cost
    return stamp
  }

  /** The reads without which the room in use would not be below `limit`. */
  needed(limit: number): Stamp | undefined {
    let stamp: Stamp | undefined
    for (const read of this.#reads) {
      if (read.from > this.#spent - limit) break
      stamp = joined(stamp, read.stamp)
    }
    return stamp
  }
}
