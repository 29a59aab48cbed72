/**
 * Vector clocks: for each task, the time of every other task that came before its present moment.
 *
 *     a at [1 0] accesses a cell, then writes to a pipe      the bytes carry the stamp [1 0]
 *     b at [0 1] reads from the pipe                         b is at [1 1]
 *     b accesses the cell                                    b covers time 1 of a: ordered, no race
 *     a accesses the cell again                              now at time 2, which b does not cover: a race
 */

import { youngArray } from '../base/young-array.ts'

/** An immutable moment of the happens-before order: by task index, the time up to which that task came before. */
export type Stamp = readonly number[]

/**
 * The clock of one task.
 *
 * Its own time advances only at an access that follows a release. So the many releases of a task that accesses nothing
 * share one stamp.
 */
export class TaskClock {
  readonly index: number
  readonly #times: number[] = youngArray()
  /** The latest stamp released; null if the clock has changed since. */
  #stamp: Stamp | null = null
  /** A released stamp covers the present time. */
  #released = false

  constructor(index: number) {
    this.index = index
    for (let i = 0; i < index; i++) this.#times.push(0)
    this.#times.push(1)
  }

  /** The time for an access made now, which no stamp released so far covers. */
  timeOfAccess(): number {
    if (this.#released) {
      this.#times[this.index]!++
      this.#stamp = null
      this.#released = false
    }
    return this.#times[this.index]!
  }

  /** A stamp of the present moment: a task that acquires it comes after. */
  release(): Stamp {
    this.#released = true
    this.#stamp ??= this.#times.slice()
    return this.#stamp
  }

  /** Moves the clock after the stamp. */
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

  /** Whether that time of that task came before the present moment. */
  covers(index: number, time: number): boolean {
    return index === this.index || (index < this.#times.length && this.#times[index]! >= time)
  }
}

/** The earliest moment after both. */
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

/** One stamp for each object, which covers every release added to it. */
export class StampsByObject {
  readonly #stamps = new Map<object, Stamp>()

  get(object: object): Stamp | undefined {
    return this.#stamps.get(object)
  }

  add(object: object, stamp: Stamp): void {
    const before = this.#stamps.get(object)
    if (before !== stamp) this.#stamps.set(object, joined(before, stamp))
  }
}
