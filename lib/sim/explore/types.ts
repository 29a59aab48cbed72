/** What explore() and replay() take and give. */

import type { System } from '../../system/system.ts'
import type { SimulatedKernel } from '../simulated-kernel.ts'
import type { Timeline } from '../timeline/timeline.ts'

/** What is run under each schedule, each time in a world of its own; it must do nothing that the world does not decide. */
export type Scenario = (world: { readonly kernel: SimulatedKernel; readonly system: System }) => void | Promise<void>

/** How schedules are picked. */
export type StrategyName = 'bounded' | 'exhaustive' | 'random' | 'pct'

/** How {@link explore} goes about it. */
export interface ExploreOptions {
  /**
   * - 'bounded' (the default): every schedule with up to `preemptions` preemptions, those with the fewest first. Who makes 200 moves in a row lets the
   *   others go on, so that a loop which polls has an end.
   * - 'exhaustive': every schedule, but one only of those that differ in the order of steps that have nothing to do with each other.
   *   Steps have to do with each other through what the world has: files, processes, signals, cells. A variable of JavaScript that programs
   *   share is not seen; make it a cell.
   * - 'random': every choice by lot.
   * - 'pct': priorities by lot, changed at a few places: finds what needs a few things in a certain order with a known probability.
   */
  readonly strategy?: StrategyName
  /** Of 'bounded': how often somebody who could go on is made to wait (2). Switching where somebody has to wait anyway is free. */
  readonly preemptions?: number
  /** How much may go wrong in one schedule: a child killed, a call failed or cut short (0). */
  readonly faults?: number
  /** Stops after so many; 'random' and 'pct' have no end of their own (1000 there, else without limit). */
  readonly maxSchedules?: number
  /** Of 'random' and 'pct': the same seed, the same schedules (0). */
  readonly seed?: number
  /** Ends the exploration; explore() rejects with its reason. */
  readonly signal?: AbortSignal
  /** Told now and then how far it is. */
  readonly onProgress?: (done: { readonly schedules: number }) => void
}

/**
 * What was found.
 *
 * - 'error': the scenario threw or rejected, a listener threw, a rejection was not handled, a simulated program crashed, the run goes on without end.
 * - 'deadlock': nobody can go on.
 * - 'race': two accesses to a cell, one of them a store, that nothing orders.
 * - 'leak': a descriptor, a zombie, a stopped child or one that still runs is left.
 * - 'nondeterminism': the scenario depends on something outside its world: it waits for it, or the same schedule did not come to the same twice.
 */
export type FailureKind = 'error' | 'deadlock' | 'race' | 'leak' | 'nondeterminism'

/** One schedule that failed. */
export interface ExploreFailure {
  /** What kind of failure it is. */
  readonly kind: FailureKind
  /** The error that the schedule came to. */
  readonly error: Error
  /** What {@link replay} takes. */
  readonly schedule: string
  /** What happened until then. */
  readonly timeline: Timeline
}

/** What came of it. */
export interface ExploreReport {
  /** Schedules run, each counted once. */
  readonly schedules: number
  /** All schedules within the strategy's bounds were run. */
  readonly complete: boolean
  /** The first failure, if there was one. */
  readonly failure?: ExploreFailure
}
