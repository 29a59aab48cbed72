/** One run of the scenario in a world of its own, under the oracle. */

import { DeadlockError } from '../../system/errors.ts'
import { deadlockError } from '../findings/deadlock.ts'
import { ExploredRun, type Kernel, WorldOverError } from '../kernel/kernel.ts'
import { endRun, kernelOf, SimulatedKernel } from '../simulated-kernel.ts'
import { type Checks, NondeterminismError } from './checks.ts'
import { FaultInjector } from './faults.ts'
import { runs, takeHostErrors } from './host-errors.ts'
import { EndlessRunError, type Oracle } from './oracle.ts'
import { Outside } from './outside.ts'
import { turn } from './turn.ts'
import type { FailureKind, Scenario } from './types.ts'

/** What is wrong with a run. */
export interface Finding {
  readonly kind: FailureKind
  readonly error: Error
}

/** What watches a run: checks that look at it from its first move on, a recorder. */
export type Watcher = (kernel: Kernel) => Checks | undefined

interface Thrown {
  readonly error: unknown
  /** The scenario had ended, and somebody went on. */
  readonly isAfterScenario?: boolean
}

/** Runs a scenario again and again. {@link close} it after. */
export class Runner {
  readonly #scenario: Scenario
  readonly #faults: number
  readonly #release: () => void
  readonly #outside = new Outside()
  /** The first error of the run under way that reached nobody. */
  #strayError: Thrown | null = null
  readonly #take = (error: unknown): void => {
    this.#strayError ??= { error }
  }

  constructor(scenario: Scenario, faults: number) {
    this.#scenario = scenario
    this.#faults = faults
    this.#release = takeHostErrors(this.#take)
  }

  close(): void {
    this.#release()
  }

  /** One run: what is wrong with it, or null. `patient` waits a little before it says that the scenario waits for nothing. */
  async run(oracle: Oracle, watch: Watcher, patient = true): Promise<Finding | null> {
    runs(this.#take)
    this.#strayError = null
    this.#outside.begin()
    const world = new SimulatedKernel({ scheduler: oracle })
    const kernel = kernelOf(world)
    const faults = this.#faults > 0 ? new FaultInjector(kernel, this.#faults) : null
    const explored = new ExploredRun(this.#take, faults)
    kernel.run = explored
    const checks = watch(kernel)
    oracle.begin(kernel)
    const end = await this.#drive(world, kernel, explored, patient)
    const finding = (mayBeChecked(end) ? checks?.finding() : null) ?? (end === null ? null : findingOf(end))
    // What is left of the host, a finalizer perhaps, must not make choices in the runs to come.
    endRun(world)
    return finding
  }

  /** What was thrown; null when all went well until nobody could move any more. */
  async #drive(
    world: SimulatedKernel,
    kernel: Kernel,
    explored: ExploredRun,
    patient: boolean,
  ): Promise<Thrown | NondeterminismError | null> {
    const host = this.#call(world)
    this.#outside.called()
    for (;;) {
      await turn()
      const thrown = host.thrown ?? this.#strayError
      if (thrown !== null) return thrown
      try {
        if (runUntilHostGoesOn(kernel)) continue
      } catch (error) {
        return { error, isAfterScenario: host.isSettled }
      }
      if (host.isSettled) break
      const { hostCalls } = explored
      const outside = await this.#outside.wait(patient, () => host.isSettled || explored.hostCalls !== hostCalls)
      if (outside !== null) return new NondeterminismError(outside)
      return this.#strayError ?? { error: deadlockError(kernel) }
    }
    const crash = kernel.crashes[0]
    return crash === undefined ? null : { error: crash.error }
  }

  /** Calls the scenario, and notes how it ends. */
  #call(world: SimulatedKernel): { isSettled: boolean; thrown: Thrown | null } {
    const host: { isSettled: boolean; thrown: Thrown | null } = { isSettled: false, thrown: null }
    const end = (thrown: Thrown | null) => {
      host.isSettled = true
      host.thrown = thrown
    }
    try {
      const result: unknown = this.#scenario({ kernel: world, system: world.host })
      if (isThenable(result))
        result.then(
          () => end(null),
          (error: unknown) => end({ error }),
        )
      else end(null)
    } catch (error) {
      end({ error })
    }
    return host
  }
}

/** Makes moves up to one that ends with the host's code to run; false when nobody can move any more. */
function runUntilHostGoesOn(kernel: Kernel): boolean {
  for (;;) {
    const moved = kernel.loop.move()
    if (moved !== 'stepped') return moved === 'settled'
  }
}

function isThenable(value: unknown): value is PromiseLike<void> {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<void>).then === 'function'
}

/** Whether to look for what is wrong besides: in a run that went well, or that is without end for what the scenario has left behind. */
function mayBeChecked(end: Thrown | NondeterminismError | null): boolean {
  if (end === null) return true
  return !(end instanceof NondeterminismError) && end.isAfterScenario === true && end.error instanceof EndlessRunError
}

/** What a scenario may throw is not always an error. */
function findingOf(reason: Thrown | NondeterminismError): Finding {
  if (reason instanceof NondeterminismError) return { kind: 'nondeterminism', error: reason }
  const { error: thrown } = reason
  // A timer that outlived its run, or a world that the scenario kept.
  if (thrown instanceof WorldOverError)
    return { kind: 'nondeterminism', error: new NondeterminismError(thrown.message) }
  const error = thrown instanceof Error ? thrown : new Error(`the scenario threw ${String(thrown)}`, { cause: thrown })
  return { kind: thrown instanceof DeadlockError ? 'deadlock' : 'error', error }
}
