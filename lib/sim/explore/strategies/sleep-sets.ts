/**
 * Partial-order reduction by sleep sets (Godefroid): of the schedules that differ only in the order of independent
 * moves, it runs one. Two moves are independent if they touch nothing in common.
 *
 * An actor whose move was tried at a choice sleeps while the alternatives are tried. A move that touches something the
 * sleeping move touches wakes it. Until then the sleeping move would only repeat the schedule tried first.
 *
 *     a and b can move, a touches x, b touches y       a and b both touch x
 *     try a, then b: run 'a b'                         try a, then b: run 'a b'
 *     a sleeps, try b: it does not wake a,             a sleeps, try b: it wakes a,
 *     every actor sleeps: 'b a' is redundant           so 'b a' is run too
 */

import type { Actor } from '../../base/scheduler.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Probes } from '../../kernel/tracepoints.ts'
import { Dependencies, everything } from '../dependencies.ts'
import { type ChoicePoint, describeDifference, type Strategy } from '../strategy.ts'

/** An actor whose next move has been tried, and the resources that move touched. */
interface Sleeper {
  readonly actor: number
  readonly touched: ReadonlySet<number>
}

/** A choice of the current run. */
interface Node {
  readonly kind: ChoicePoint['kind']
  readonly count: number
  /** The ids of a step's options; null for other kinds of choices. */
  readonly actors: readonly number[] | null
  /** Actors that sleep here: their moves were tried at an earlier choice. */
  readonly asleep: readonly Sleeper[]
  /** Actors tried here. */
  readonly done: Sleeper[]
  chosen: number
  /** Resources that the chosen move touched, in all runs through here. */
  touched: Set<number>
}

export class SleepSets implements Strategy {
  readonly #nodes: Node[] = []
  #at = 0
  #isFirst = true
  #asleep: readonly Sleeper[] = []
  /** Resources of the current move. */
  readonly #dependencies = new Dependencies()
  readonly #probes: Probes = { moves: actor => this.#moves(actor), timePasses: time => this.#moves(time) }
  /** The choice that led to the current move; null if it was the only option. */
  #node: Node | null = null
  #chosen: Node | null = null
  /** Every actor that could move is asleep: the rest of the run repeats another schedule. */
  #isRedundant = false
  difference: string | null = null

  coversAll(forced: boolean): boolean {
    return !forced
  }

  next(): boolean {
    if (this.#isFirst) {
      this.#isFirst = false
      return true
    }
    for (; this.#nodes.length > 0; this.#nodes.pop()) if (advance(this.#nodes[this.#nodes.length - 1]!)) return true
    return false
  }

  begin(kernel: Kernel): void {
    this.#at = 0
    this.#asleep = []
    this.#node = null
    this.#chosen = null
    this.#isRedundant = false
    // The order matters: `moves` here has to end the last move before it adds to the next one's resources there.
    kernel.trace.attach(this.#probes)
    this.#dependencies.begin(kernel)
  }

  #moves(actor: Actor): void {
    this.#finishMove()
    this.#node = this.#chosen
    this.#chosen = null
    if (this.#asleep.some(sleeper => sleeper.actor === actor.id)) this.#isRedundant = true
  }

  /** Ends the current move, and wakes the sleepers that depend on it. */
  #finishMove(): void {
    const { touched, wakesSelfOnly } = this.#dependencies
    if (touched.size === 0 && wakesSelfOnly.size === 0) return
    if (this.#node !== null)
      for (const keys of [touched, wakesSelfOnly]) for (const key of keys) this.#node.touched.add(key)
    if (this.#asleep.length > 0) this.#asleep = this.#asleep.filter(sleeper => isIndependent(sleeper.touched, touched))
    this.#dependencies.clear()
  }

  choose(point: ChoicePoint): number {
    if (point.kind === 'step') this.#finishMove()
    const at = this.#at++
    const node = at < this.#nodes.length ? this.#repeat(at, point) : this.#push(point)
    if (node === null) return point.fallback
    if (node.actors !== null) {
      this.#asleep = node.done.length === 0 ? node.asleep : [...node.asleep, ...node.done]
      this.#chosen = node
    }
    return node.chosen
  }

  #repeat(at: number, point: ChoicePoint): Node | null {
    const node = this.#nodes[at]!
    const { actors } = node
    const isSame = node.kind === point.kind && node.count === point.count
    if (isSame && (actors === null || point.actors!.every(({ id }, index) => id === actors[index]))) return node
    this.difference ??= describeDifference(at, node, point)
    this.#nodes.length = at
    return this.#push(point)
  }

  #push({ kind, count, fallback, actors }: ChoicePoint): Node | null {
    if (this.#isRedundant) return null
    const asleep = this.#asleep
    const ids = kind === 'step' ? actors!.map(({ id }) => id) : null
    const chosen = ids === null || isAwake(ids[fallback]!, asleep) ? fallback : ids.findIndex(id => isAwake(id, asleep))
    if (chosen < 0) {
      this.#isRedundant = true
      return null
    }
    const node: Node = { kind, count, actors: ids, asleep, done: [], chosen, touched: new Set() }
    this.#nodes.push(node)
    return node
  }

  end(): boolean {
    this.#finishMove()
    const missing = this.#nodes[this.#at]
    if (missing !== undefined) this.difference ??= describeDifference(this.#at, missing, null)
    return !this.#isRedundant
  }
}

/** Chooses the next option to try; false if there is none. */
function advance(node: Node): boolean {
  const { actors, asleep, done } = node
  if (actors === null) return ++node.chosen < node.count
  done.push({ actor: actors[node.chosen]!, touched: node.touched })
  node.chosen = actors.findIndex(id => isAwake(id, asleep) && isAwake(id, done))
  node.touched = new Set()
  return node.chosen >= 0
}

function isAwake(actor: number, sleepers: readonly Sleeper[]): boolean {
  return !sleepers.some(sleeper => sleeper.actor === actor)
}

function isIndependent(one: ReadonlySet<number>, other: ReadonlySet<number>): boolean {
  if (one.has(everything) || other.has(everything)) return false
  for (const key of other) if (one.has(key)) return false
  return true
}
