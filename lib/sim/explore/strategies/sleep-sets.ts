/**
 * Every schedule, but only one of those that differ in the order of independent moves: partial-order reduction by sleep sets (Godefroid).
 *
 * Two moves are independent when they touch nothing in common. What is put off at a choice after it was tried there sleeps until a move is made
 * that touches something it touches: until then, to make it would lead where the first try has led.
 */

import type { Actor } from '../../base/scheduler.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Probes } from '../../kernel/tracepoints.ts'
import { Dependencies, everything } from '../dependencies.ts'
import { type ChoicePoint, describeDifference, type Strategy } from '../strategy.ts'

/** Somebody whose next move has been tried, and all that it touched. */
interface Sleeper {
  readonly actor: number
  readonly touched: ReadonlySet<number>
}

/** A choice of the present run. */
interface Node {
  readonly kind: ChoicePoint['kind']
  readonly count: number
  /** Of a step: who can be chosen. */
  readonly actors: readonly number[] | null
  /** Those not to be tried here, because they were before. */
  readonly asleep: readonly Sleeper[]
  /** Those tried here. */
  readonly done: Sleeper[]
  chosen: number
  /** What the move chosen has touched, in all the runs through here. */
  touched: Set<number>
}

export class SleepSets implements Strategy {
  readonly #nodes: Node[] = []
  #at = 0
  #isFirst = true
  #asleep: readonly Sleeper[] = []
  /** Of the move under way. */
  readonly #dependencies = new Dependencies()
  readonly #probes: Probes = { moves: actor => this.#moves(actor) }
  /** The choice that the move under way comes of; null where there was none. */
  #node: Node | null = null
  #chosen: Node | null = null
  /** Whoever could move is asleep: the rest of the run leads where others have led. */
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
    // In this order: a move's own thread is the first that it touches.
    kernel.trace.attach(this.#probes)
    this.#dependencies.begin(kernel)
  }

  #moves(actor: Actor): void {
    this.#finishMove()
    this.#node = this.#chosen
    this.#chosen = null
    if (this.#asleep.some(sleeper => sleeper.actor === actor.id)) this.#isRedundant = true
  }

  /** The move under way is over: wakes what depends on it. */
  #finishMove(): void {
    const { touched, minded } = this.#dependencies
    if (touched.size === 0 && minded.size === 0) return
    if (this.#node !== null) for (const keys of [touched, minded]) for (const key of keys) this.#node.touched.add(key)
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

/** Chooses the next option that is to be tried; false when there is none. */
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
