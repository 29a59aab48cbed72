/** Strategies pick schedules, one after another, by answering the choices of each run. */

import type { Actor, Choice } from '../base/scheduler.ts'
import type { Kernel } from '../kernel/kernel.ts'

/** A choice as a strategy sees it. */
export interface ChoicePoint {
  readonly kind: Choice['kind']
  /** Number of options. */
  readonly count: number
  /** Index of the first fault; options below it are not faults. */
  readonly plain: number
  /** Index of the default: the last mover goes on, no fault happens. */
  readonly fallback: number
  /** Whether any other answer than the fallback is a preemption. */
  readonly preempts: boolean
  /** The options of a step; null for other kinds. */
  readonly actors: readonly Actor[] | null
}

/** Picks schedules by answering their choices. */
export interface Strategy {
  /** Prepares the next schedule; false when there is none left. */
  next(): boolean
  /** Called at the beginning of its run, with the new world. */
  begin?(kernel: Kernel): void
  /** Answers with the index of an option. */
  choose(point: ChoicePoint): number
  /** Ends the run. False if an equivalent schedule has already run; it is not counted. */
  end(): boolean
  /** How the run departed from a prefix that ran before, which shows that the scenario is not deterministic. */
  readonly difference: string | null
  /**
   * Whether every schedule has been picked once {@link next} returns false. `forced`: some task was preempted by force
   * after many moves in a row.
   */
  coversAll(forced: boolean): boolean
}

/** Describes how a choice differs from the schedule's. */
export function describeDifference(
  at: number,
  before: Pick<ChoicePoint, 'kind' | 'count'>,
  now: Pick<ChoicePoint, 'kind' | 'count' | 'actors'> | null,
): string {
  const was = `choice ${at} is between ${before.count} options of kind '${before.kind}' in the schedule`
  if (now === null) return `${was}, and this run ended before it`
  const labels = now.actors === null ? '' : ` (${now.actors.map(({ label }) => label).join(', ')})`
  return `${was}, and between ${now.count} of kind '${now.kind}'${labels} in this run`
}
