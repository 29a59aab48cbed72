/** What a strategy is: it picks the schedules, one after the other, by answering the choices of each. */

import type { Actor, Choice } from '../base/scheduler.ts'
import type { Kernel } from '../kernel/kernel.ts'

/** A choice as a strategy sees it. */
export interface ChoicePoint {
  readonly kind: Choice['kind']
  /** How many options there are. */
  readonly count: number
  /** Options from this one on are faults. */
  readonly plain: number
  /** How the choice falls by itself: whoever moves goes on. */
  readonly fallback: number
  /** Any other answer than the fallback is a preemption. */
  readonly preempts: boolean
  /** Of a step: who can be chosen. */
  readonly actors: readonly Actor[] | null
}

/** Picks schedules. */
export interface Strategy {
  /** Prepares the next schedule; false when there is none left. */
  next(): boolean
  /** A run of it begins in a new world. */
  begin?(kernel: Kernel): void
  /** The index of an option. */
  choose(point: ChoicePoint): number
  /** The run is over. False when it was one that counts for nothing, because it was run before in this form or another. */
  end(): boolean
  /** What of the run did not fit its beginning, which was run before: the scenario is not deterministic. */
  readonly difference: string | null
  /**
   * Whether all schedules there are have been picked once {@link next} says that none is left. `forced` says that somebody who went on for very
   * long had to let the others go on.
   */
  coversAll(forced: boolean): boolean
}

/** Says how a choice differs from what it was. */
export function describeDifference(
  at: number,
  before: Pick<ChoicePoint, 'kind' | 'count'>,
  now: Pick<ChoicePoint, 'kind' | 'count' | 'actors'> | null,
): string {
  const was = `choice ${at} was between ${before.count} options of kind '${before.kind}'`
  if (now === null) return `${was}, and this time the run ended before it`
  const who = now.actors === null ? '' : ` (${now.actors.map(({ label }) => label).join(', ')})`
  return `${was}, and this time it is between ${now.count} of kind '${now.kind}'${who}`
}
