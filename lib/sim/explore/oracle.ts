/** The oracle: passes every choice of a run to the strategy and records the answers as a schedule. */

import { printable } from '../../system/printable.ts'
import type { Actor, Choice, Scheduler } from '../base/scheduler.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Probes } from '../kernel/tracepoints.ts'
import type { Task } from '../processes/task.ts'
import type { FaultBounds } from './faults.ts'
import type { Deviation, Schedule } from './schedule.ts'
import type { ChoicePoint, Strategy } from './strategy.ts'

/** Moves in a row after which a task is preempted by force. Otherwise a loop that polls would never end. */
const longestSlice = 200
/** Moves after which a run is taken to be endless. */
const mostMoves = 100_000

/** A run that does not end. */
export class EndlessRunError extends Error {
  override readonly name = 'EndlessRunError'
  readonly code = 'ERR_ENDLESS_RUN'
  /** @param last Label of the actor that was about to move. */
  constructor(last: string) {
    super(
      `the run has not ended after ${mostMoves} moves: a loop of calls has no end, perhaps in ${printable(last)} ` +
        '(simulated time passes only while every task waits)',
    )
  }
}

/** The current choice: one object, refilled for each. */
class Point implements ChoicePoint {
  kind: Choice['kind'] = 'step'
  count = 0
  plain = 0
  fallback = 0
  preempts = false
  actors: readonly Actor[] | null = null
}

/** Answers the choices of consecutive runs. */
export class Oracle implements Scheduler {
  readonly #strategy: Strategy
  readonly #point = new Point()
  /** The task that moved last; a fault does not count. */
  #last: Actor | null = null
  #slice = 0
  #moves = 0
  /** Clock reads since the last move. Time stands still between moves, so a loop that waits for it never ends. */
  #clockReads = 0
  #choices = 0
  #switches = 0
  #preemptions = 0
  #faults = 0
  #forced = false
  #deviations: Deviation[] = []
  readonly #probes: Probes = {
    moves: (actor, task) => this.#moved(actor, task),
    clockRead: task => {
      if (++this.#clockReads > mostMoves) throw new EndlessRunError(task.label)
    },
  }

  constructor(strategy: Strategy) {
    this.#strategy = strategy
  }

  /** Prepares for a new run. */
  begin(kernel: Kernel): void {
    this.#last = null
    this.#slice = 0
    this.#moves = 0
    this.#clockReads = 0
    this.#choices = 0
    this.#switches = 0
    this.#preemptions = 0
    this.#faults = 0
    this.#deviations = []
    kernel.trace.attach(this.#probes)
    this.#strategy.begin?.(kernel)
  }

  /** The schedule of the run so far. */
  schedule({ faults, portable }: FaultBounds): Schedule {
    return { faults, ...(portable && { portable }), choices: this.#choices, deviations: this.#deviations }
  }

  /** Moves by another task than the one before. */
  get switches(): number {
    return this.#switches
  }

  /** Choices against an actor that could have gone on. */
  get preemptions(): number {
    return this.#preemptions
  }

  /** Faults chosen. */
  get faults(): number {
    return this.#faults
  }

  /** Whether any run had a forced preemption: then the schedules that were run are not all that exist. */
  get forced(): boolean {
    return this.#forced
  }

  /** `task` is the one that moves: the host if something awaited settles; null for a fault, which preempts no task. */
  #moved(actor: Actor, task: Task | null): void {
    this.#clockReads = 0
    if (++this.#moves > mostMoves) throw new EndlessRunError((task ?? actor).label)
    if (task === null) return
    if (task === this.#last) {
      this.#slice++
      return
    }
    this.#last = task
    this.#slice = 1
    this.#switches++
  }

  choose(choice: Choice): number {
    const point = this.#point
    point.kind = choice.kind
    point.count = choice.options.length
    if (choice.kind === 'step') {
      this.#fillStep(choice.options)
      if (point.plain > 1 && point.preempts && this.#slice >= longestSlice) {
        this.#forced = true
        this.#slice = 0
        return (point.fallback + 1) % point.plain
      }
    } else {
      point.plain = choice.kind === 'fault' ? 1 : point.count
      point.fallback = 0
      point.preempts = choice.kind !== 'fault'
      point.actors = null
    }
    const chosen = this.#strategy.choose(point)
    const at = this.#choices++
    if (chosen !== point.fallback) {
      if (chosen >= point.plain) this.#faults++
      else if (point.preempts) this.#preemptions++
      this.#deviations.push({ at, kind: point.kind, chosen, count: point.count })
    }
    return chosen
  }

  /** The default: the last mover goes on; if it cannot, the next actor in the order of creation. */
  #fillStep(options: readonly Actor[]): void {
    const point = this.#point
    const last = this.#last
    let plain = options.length
    while (plain > 0 && options[plain - 1]!.isFault) plain--
    let fallback = -1
    let next = -1
    for (let i = 0; i < plain; i++) {
      if (options[i] === last) fallback = i
      else if (next < 0 && last !== null && options[i]!.id > last.id) next = i
    }
    point.preempts = fallback >= 0
    point.fallback = fallback >= 0 ? fallback : Math.max(next, 0)
    point.plain = plain
    point.actors = options
  }
}
