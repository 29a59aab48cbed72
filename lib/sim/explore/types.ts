/** The types of explore() and replay(). */

import type { System } from '../../system/system.ts'
import type { SimulatedKernel } from '../simulated-kernel.ts'
import type { Timeline } from '../timeline/timeline.ts'

/** The code that runs under each schedule, each time in a new world. It must depend on nothing but that world. */
export type Scenario = (world: { readonly kernel: SimulatedKernel; readonly system: System }) => void | Promise<void>

/** A way of picking schedules: see {@link ExploreOptions.strategy}. */
export type StrategyName = 'bounded' | 'exhaustive' | 'random' | 'pct'

/** Options of {@link explore}. */
export interface ExploreOptions {
  /**
   * - 'bounded' (the default): every schedule with up to `preemptions` preemptions, those with the fewest first. A task
   *   that makes 200 moves in a row is preempted by force, so that a loop which polls has an end. Of schedules that
   *   differ only in the moment of a kill, with nothing happening to the process in between, it runs one.
   * - 'exhaustive': every schedule, but only one of those that differ in the order of independent steps. Steps depend
   *   on each other through the world: files, processes, signals, cells. A JavaScript variable that programs share is
   *   not seen; make it a cell.
   * - 'random': every choice at random.
   * - 'pct': random priorities, changed at a few random points. It finds a bug that needs a few events in a certain
   *   order with a known probability.
   */
  readonly strategy?: StrategyName
  /** The bound of 'bounded' on preemptions of a task that could go on (2). A switch from a waiting task is free. */
  readonly preemptions?: number
  /** Most faults in one schedule (0), as Linux makes them: a child killed, a call failed, interrupted or cut short. */
  readonly faults?: number
  /**
   * Whether `faults` include what only POSIX allows (false): a read may return less than is available, a write of more
   * than 512 bytes to a pipe, or of any size to a stream socket, may be cut short, and every call that waits may fail
   * with EINTR.
   */
  readonly portable?: boolean
  /** Most schedules to run: 1000 for 'random' and 'pct', which have no end of their own, else no limit. */
  readonly maxSchedules?: number
  /** The seed of 'random' and 'pct' (0): the same seed gives the same schedules. */
  readonly seed?: number
  /** Aborts the exploration; explore() rejects with its reason. */
  readonly signal?: AbortSignal
  /** Called from time to time with the number of schedules run so far. */
  readonly onProgress?: (done: { readonly schedules: number }) => void
}

/**
 * The kind of a failure.
 *
 * - 'error': the scenario threw or rejected, a listener threw, a rejection was not handled, a simulated program
 *   crashed, or the run is endless.
 * - 'deadlock': the scenario waits, and nothing can move.
 * - 'race': two accesses to a cell, one of them a store, that nothing orders.
 * - 'leak': a descriptor, a zombie, a stopped child or a running one is left.
 * - 'nondeterminism': the scenario waits for something outside its world, or the same schedule ran differently twice.
 */
export type FailureKind = 'error' | 'deadlock' | 'race' | 'leak' | 'nondeterminism'

/** One schedule that failed. */
export interface ExploreFailure {
  /** What kind of failure it is. */
  readonly kind: FailureKind
  /** The error that the schedule ended with. */
  readonly error: Error
  /** The schedule, for {@link replay}. */
  readonly schedule: string
  /** The events of its run. */
  readonly timeline: Timeline
}

/** The outcome of {@link explore} or {@link replay}. */
export interface ExploreReport {
  /** Number of different schedules run. */
  readonly schedules: number
  /** Whether every schedule within the strategy's bounds was run. */
  readonly complete: boolean
  /** The first failure, if there was one. */
  readonly failure?: ExploreFailure
}
