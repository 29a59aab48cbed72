/** Depth-first search by stateless replay: each run repeats the last one up to the choice that now differs. */

import type { Kernel } from '../../kernel/kernel.ts'
import { type ChoicePoint, describeDifference, type Strategy } from '../strategy.ts'
import { SleepingKills, sleeps } from './sleeping-kills.ts'

/** A choice of the current run. */
interface Frame {
  kind: ChoicePoint['kind']
  count: number
  plain: number
  fallback: number
  preempts: boolean
  chosen: number
  /** Number of options tried: the fallback first, then the others in order. */
  tried: number
  /** Preemptions and faults of the choices before it. */
  preemptions: number
  faults: number
  /** The kills among its options that sleep. */
  asleep: number
}

/**
 * A share of the schedules: those whose first fault falls on a choice whose number, modulo `of`, is `index`.
 * Those without a fault belong to share 0. So every schedule is in exactly one of the `of` shares.
 */
export interface Share {
  readonly index: number
  readonly of: number
}

/** The share that has every schedule. */
const whole: Share = { index: 0, of: 1 }

/** What a search runs and counts. */
export interface SearchOptions {
  /** All by default. */
  readonly share?: Share
  /** Schedules with fewer preemptions and faults count too; they do by default if preemptions have no bound. */
  readonly countsFewer?: boolean
  /** Whether to try the kills, too, that would only repeat an earlier schedule. */
  readonly repeatsKills?: boolean
}

/**
 * Every schedule of the share with exactly that many preemptions and faults; without bounds, every one of the share. Of
 * those that differ only in the moment of a kill ({@link SleepingKills}), it runs one.
 *
 * Schedules with fewer lead to the others: they are run, and count only with `countsFewer`. Those without a fault count
 * in share 0 only.
 */
export class DepthFirst implements Strategy {
  readonly #preemptions: number
  readonly #faults: number
  readonly #share: Share
  readonly #countsFewer: boolean
  readonly #kills: SleepingKills | null
  readonly #frames: Frame[] = []
  /** Number of frames in use; the rest are kept for reuse. */
  #depth = 0
  #at = 0
  #isFirst = true
  #spent = { preemptions: 0, faults: 0 }
  difference: string | null = null
  /** Whether a choice was left out because it would have been a preemption, or a fault, too many. */
  readonly leftOut = { preemption: false, fault: false }

  constructor(preemptions: number, faults: number, options: SearchOptions = {}) {
    const { share = whole, countsFewer = preemptions === Number.POSITIVE_INFINITY, repeatsKills = false } = options
    this.#preemptions = preemptions
    this.#faults = faults
    this.#share = share
    this.#countsFewer = countsFewer
    this.#kills = faults === 0 || repeatsKills ? null : new SleepingKills()
  }

  coversAll(): boolean {
    return true
  }

  next(): boolean {
    this.#at = 0
    this.#spent = { preemptions: 0, faults: 0 }
    if (this.#isFirst) {
      this.#isFirst = false
      return true
    }
    for (; this.#depth > 0; this.#depth--) if (this.#advance(this.#depth - 1)) return true
    return false
  }

  begin(kernel: Kernel): void {
    this.#kills?.begin(kernel)
  }

  choose(point: ChoicePoint): number {
    const at = this.#at++
    const frame = at < this.#depth ? this.#repeat(at, point) : this.#push(point)
    if (point.count > point.plain) this.#kills?.chosen(point, frame.chosen)
    if (frame.chosen >= frame.plain) this.#spent.faults++
    else if (frame.preempts && frame.chosen !== frame.fallback) this.#spent.preemptions++
    return frame.chosen
  }

  end(): boolean {
    if (this.#at < this.#depth) this.difference ??= describeDifference(this.#at, this.#frames[this.#at]!, null)
    const { preemptions, faults } = this.#spent
    if (faults === 0 && this.#share.index !== 0) return false
    return this.#countsFewer || (preemptions === this.#preemptions && faults === this.#faults)
  }

  #repeat(at: number, point: ChoicePoint): Frame {
    const frame = this.#frames[at]!
    const { kind, count, plain, fallback } = point
    if (frame.kind === kind && frame.count === count && frame.plain === plain && frame.fallback === fallback)
      return frame
    this.difference ??= describeDifference(at, frame, point)
    this.#depth = at
    return this.#push(point)
  }

  #push(point: ChoicePoint): Frame {
    const { kind, count, plain, fallback, preempts } = point
    const asleep = this.#kills?.asleepAt(point) ?? 0
    const { preemptions, faults } = this.#spent
    const frame = this.#frames[this.#depth++]
    if (frame === undefined) {
      const added = { kind, count, plain, fallback, preempts, chosen: fallback, tried: 1, preemptions, faults, asleep }
      this.#frames.push(added)
      return added
    }
    frame.kind = kind
    frame.count = count
    frame.plain = plain
    frame.fallback = fallback
    frame.preempts = preempts
    frame.chosen = fallback
    frame.tried = 1
    frame.preemptions = preemptions
    frame.faults = faults
    frame.asleep = asleep
    return frame
  }

  /** Chooses the frame's next option that is within the bounds and the share; false when there is none. */
  #advance(at: number): boolean {
    const frame = this.#frames[at]!
    const isOther = frame.faults === 0 && at % this.#share.of !== this.#share.index
    while (frame.tried < frame.count) {
      const next = frame.tried++
      frame.chosen = next <= frame.fallback ? next - 1 : next
      const isFault = frame.chosen >= frame.plain
      if (isFault && (isOther || sleeps(frame.asleep, frame.chosen - frame.plain))) continue
      const preemptions = frame.preemptions + (frame.preempts && !isFault ? 1 : 0)
      const faults = frame.faults + (isFault ? 1 : 0)
      if (faults > this.#faults) this.leftOut.fault = true
      else if (preemptions > this.#preemptions) this.leftOut.preemption = true
      else return true
    }
    return false
  }
}
