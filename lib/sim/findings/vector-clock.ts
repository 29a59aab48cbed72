/** Vector clocks: how much of every other task a task knows to have come before. */

import { youngArray } from '../base/young-array.ts'

/** A moment of the happens-before order: for each task, by its index, the time up to which it came before. Never changed once made. */
export type Stamp = readonly number[]

/**
 * The clock of one task.
 *
 * Its own time moves on only at an access that follows a release, so that the many releases of a task that accesses nothing share one stamp.
 */
export class TaskClock {
  readonly index: number
  readonly #times: number[] = youngArray()
  /** What was last released, as long as nothing was learnt since. */
  #stamp: Stamp | null = null
  /** A stamp is out that covers the present time. */
  #released = false

  constructor(index: number) {
    this.index = index
    for (let i = 0; i < index; i++) this.#times.push(0)
    this.#times.push(1)
  }

  /** The time of an access made now: one that no stamp released so far covers. */
  timeOfAccess(): number {
    if (this.#released) {
      this.#times[this.index]!++
      this.#stamp = null
      this.#released = false
    }
    return this.#times[this.index]!
  }

  /** All that has happened here, for whoever acquires it. */
  release(): Stamp {
    this.#released = true
    this.#stamp ??= this.#times.slice()
    return this.#stamp
  }

  /** From now on, what the stamp covers has happened before. */
  acquire(stamp: Stamp): void {
    if (stamp === this.#stamp) return
    const times = this.#times
    for (let i = 0; i < stamp.length; i++) {
      const time = stamp[i]!
      while (times.length <= i) times.push(0)
      if (time <= times[i]!) continue
      times[i] = time
      this.#stamp = null
    }
  }

  /** Whether that time of another task came before. */
  covers(index: number, time: number): boolean {
    return index === this.index || (index < this.#times.length && this.#times[index]! >= time)
  }
}

/** The moment after both. */
export function joined(one: Stamp | undefined, other: Stamp): Stamp {
  if (one === undefined || one === other || isCovered(one, other)) return other
  if (isCovered(other, one)) return one
  const times: number[] = youngArray()
  for (let i = 0; i < Math.max(one.length, other.length); i++) times.push(Math.max(one[i] ?? 0, other[i] ?? 0))
  return times
}

function isCovered(one: Stamp, by: Stamp): boolean {
  for (let i = 0; i < one.length; i++) if (one[i]! > (by[i] ?? 0)) return false
  return true
}

/** Stamps on objects: each covers all that was released there. */
export class Marks {
  readonly #stamps = new Map<object, Stamp>()

  get(object: object): Stamp | undefined {
    return this.#stamps.get(object)
  }

  add(object: object, stamp: Stamp): void {
    const before = this.#stamps.get(object)
    if (before !== stamp) this.#stamps.set(object, joined(before, stamp))
  }
}
