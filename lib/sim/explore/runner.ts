/** Runs the scenario, each time in a new world whose choices the oracle answers. */

import { DeadlockError } from '../../system/errors.ts'
import { ProgramError } from '../base/program-error.ts'
import { isInstance, isReadableError, textOf } from '../base/thrown.ts'
import { deadlockError } from '../findings/deadlock.ts'
import { WorldOverError } from '../host/call-errors.ts'
import { ExploredRun } from '../kernel/explored-run.ts'
import type { Crash, Kernel } from '../kernel/kernel.ts'
import { endRun, kernelOf, SimulatedKernel } from '../simulated-kernel.ts'
import { type Checks, NondeterminismError } from './checks.ts'
import { type FaultBounds, FaultInjector } from './faults.ts'
import { makeCurrent, takeHostErrors } from './host-errors.ts'
import { EndlessRunError, Oracle } from './oracle.ts'
import { Outside } from './outside.ts'
import type { Schedule } from './schedule.ts'
import { Fixed } from './strategies/fixed.ts'
import { turn } from './turn.ts'
import type { FailureKind, Scenario } from './types.ts'

/** The failure of a run. */
export interface Finding {
  readonly kind: FailureKind
  readonly error: Error
  /** The process whose program threw the error; undefined if the scenario did, or none threw. */
  readonly crashed?: number | undefined
}

/** Attaches checks or a recorder to a run before its first move. */
export type Watcher = (kernel: Kernel) => Checks | undefined

interface Thrown {
  readonly error: unknown
  /** The process whose program threw it; undefined if host code did. */
  readonly crashed?: number
  /** Thrown after the scenario had ended, by what it left running. */
  readonly isAfterScenario?: boolean
}

/** Repetitions of a run that seems to wait for something outside. */
const mostRepetitions = 3

/** Runs a scenario repeatedly; {@link close} gives the process's error listeners back. */
export class Runner {
  readonly #scenario: Scenario
  readonly #bounds: FaultBounds
  readonly #release: () => void
  readonly #outside = new Outside()
  /** The first stray error of the current run. */
  #strayError: Thrown | null = null
  readonly #take = (error: unknown): void => {
    this.#strayError ??= { error }
  }

  constructor(scenario: Scenario, bounds: FaultBounds) {
    this.#scenario = scenario
    this.#bounds = bounds
    this.#release = takeHostErrors(this.#take)
  }

  close(): void {
    this.#release()
  }

  /**
   * Makes one run; its failure, or null. `patient`: waits a little for outside events before it reports a deadlock.
   *
   * A run that seems to wait for the outside is repeated, and `watch` is called for each repetition.
   */
  async run(oracle: Oracle, watch: Watcher, patient = true): Promise<Finding | null> {
    const finding = await this.#once(oracle, watch, patient)
    if (!this.#outside.isGuess) return finding
    return (await this.#deadlockAgain(oracle.schedule(this.#bounds), watch, patient)) ?? finding
  }

  /** Repeats a run until it is a deadlock: then what started during the run before was not the scenario's. */
  async #deadlockAgain(schedule: Schedule, watch: Watcher, patient: boolean): Promise<Finding | null> {
    for (let i = 0; i < mostRepetitions && this.#outside.isGuess; i++) {
      const fixed = new Fixed(schedule)
      fixed.next()
      const finding = await this.#once(new Oracle(fixed), watch, patient)
      fixed.end()
      if (finding?.kind === 'deadlock' && fixed.difference === null) return finding
    }
    return null
  }

  async #once(oracle: Oracle, watch: Watcher, patient: boolean): Promise<Finding | null> {
    makeCurrent(this.#take)
    this.#strayError = null
    this.#outside.begin()
    const world = new SimulatedKernel({ scheduler: oracle })
    const kernel = kernelOf(world)
    const faults = this.#bounds.faults > 0 ? new FaultInjector(kernel, this.#bounds) : null
    const explored = new ExploredRun(this.#take, faults)
    kernel.run = explored
    const checks = watch(kernel)
    oracle.begin(kernel)
    const end = await this.#drive(world, kernel, explored, patient)
    const finding = (mayBeChecked(end) ? checks?.finding() : null) ?? (end === null ? null : findingOf(end))
    // Leftover host code, such as a finalizer, must not make choices in later runs.
    endRun(world)
    return finding
  }

  /** Makes moves to the end of the run: what was thrown, or null if the scenario ended and no move is left. */
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
      if (thrown !== null) return causeOf(thrown, kernel)
      try {
        if (runUntilHostGoesOn(kernel, host.isSettled)) continue
      } catch (error) {
        return causeOf({ error, isAfterScenario: host.isSettled }, kernel)
      }
      if (host.isSettled) break
      const { hostCalls } = explored
      const outside = await this.#outside.wait(patient, () => host.isSettled || explored.hostCalls !== hostCalls)
      if (outside !== null) return new NondeterminismError(outside)
      return causeOf(this.#strayError ?? { error: deadlockError(kernel) }, kernel)
    }
    const crash = kernel.crashes[0]
    return crash === undefined ? null : thrownBy(crash)
  }

  /** Calls the scenario; the returned object tracks its end. */
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

/** The first cause: a program written wrong explains every later error, and any crash explains a deadlock after it. */
function causeOf(thrown: Thrown, { crashes }: Kernel): Thrown {
  const isDeadlock = isInstance(thrown.error, DeadlockError)
  const crash = crashes.find(({ error }) => isDeadlock || isInstance(error, ProgramError))
  return crash === undefined ? thrown : thrownBy(crash)
}

function thrownBy({ pid, error }: Crash): Thrown {
  return { error, crashed: pid }
}

/** Makes moves until host code has to run; false if no move is left. */
function runUntilHostGoesOn(kernel: Kernel, isDone: boolean): boolean {
  for (;;) {
    const moved = kernel.loop.move(isDone)
    if (moved !== 'stepped') return moved === 'settled'
  }
}

function isThenable(value: unknown): value is PromiseLike<void> {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<void>).then === 'function'
}

/** Whether the checks apply: to a run without failure, and to one that is endless because of what it left running. */
function mayBeChecked(end: Thrown | NondeterminismError | null): boolean {
  if (end === null) return true
  return !(end instanceof NondeterminismError) && end.isAfterScenario === true && isInstance(end.error, EndlessRunError)
}

/** The finding for what was thrown, which need not be an Error. */
function findingOf(reason: Thrown | NondeterminismError): Finding {
  if (reason instanceof NondeterminismError) return { kind: 'nondeterminism', error: reason }
  const { error: thrown, crashed } = reason
  // The scenario used a timer that outlived its run, or kept the world of an earlier one.
  if (isInstance(thrown, WorldOverError))
    return { kind: 'nondeterminism', error: new NondeterminismError(thrown.message) }
  const kind = isInstance(thrown, DeadlockError) ? 'deadlock' : 'error'
  if (isReadableError(thrown)) return { kind, error: thrown, crashed }
  const who = crashed === undefined ? 'the scenario' : `the program of process ${crashed}`
  return { kind, error: new Error(`${who} threw ${textOf(thrown)}`, { cause: thrown }), crashed }
}
