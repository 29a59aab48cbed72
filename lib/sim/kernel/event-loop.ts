/**
 * What the host awaits, and the moves of the world meanwhile.
 *
 * While the host awaits something, turns of JavaScript's event loop let simulated tasks step. Each turn settles at most
 * one awaited thing, so that host code runs between any two. The scheduler chooses which task steps or what settles.
 */

import type { Actor } from '../base/scheduler.ts'
import type { Awaited } from './awaited.ts'
import type { Kernel } from './kernel.ts'

const nothing: readonly Awaited[] = []

/** Most steps in one turn of the event loop; then the JavaScript process's other callbacks run. */
const mostSteps = 1000

interface Cancellable {
  ref?(): void
  unref?(): void
}

// Saved at load, so that a test that replaces the global timers does not stop the simulation.
const { setTimeout, clearTimeout } = globalThis
export const nextTurn = chooseNextTurn()

/** Schedules the soonest macrotask: by setImmediate in Node, by a message port in a page. */
function chooseNextTurn(): (turn: () => void) => Cancellable {
  if (typeof globalThis.setImmediate === 'function') return globalThis.setImmediate
  if (typeof globalThis.MessageChannel !== 'function') return turn => setTimeout(turn, 0)
  return turn => {
    const { port1, port2 } = new MessageChannel()
    const received = () => {
      port1.close()
      turn()
    }
    Object.assign(port1, { onmessage: received })
    port2.postMessage(0)
    return {}
  }
}

/** Merges what could settle with the tasks, which are already sorted: all in the order of creation. */
function inOrder(ready: readonly Awaited[], tasks: readonly Actor[]): Actor[] {
  const all: Actor[] = []
  for (const task of tasks) all.push(task)
  for (const awaited of ready) {
    let index = all.length
    while (index > 0 && all[index - 1]!.id > awaited.id) index--
    all.splice(index, 0, awaited)
  }
  return all
}

/** Drives the world from JavaScript's event loop. */
export class EventLoop {
  readonly #kernel: Kernel
  readonly #awaited = new Set<Awaited>()
  #turn: Cancellable | null = null
  #inTurn = false
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  get awaited(): ReadonlySet<Awaited> {
    return this.#awaited
  }

  add(awaited: Awaited): void {
    this.#kernel.hostCalled()
    this.#kernel.trace.awaiting?.(awaited)
    this.#awaited.add(awaited)
    this.stir()
    this.updateKeepAlive()
  }

  remove(awaited: Awaited): void {
    this.#awaited.delete(awaited)
    this.updateKeepAlive()
  }

  /** A move may be possible now: schedules a turn if anything is awaited. Explorations call {@link move} instead. */
  stir(): void {
    if (this.#kernel.run !== null || this.#awaited.size === 0 || this.#turn !== null || this.#inTurn) return
    this.#turn = nextTurn(() => {
      this.#turn = null
      this.#inTurn = true
      try {
        this.#takeTurn()
      } finally {
        // Moves go on even when a listener threw.
        this.#inTurn = false
        if (this.#canMove) this.stir()
      }
    })
    this.updateKeepAlive()
  }

  #takeTurn(): void {
    const { clock, runnable } = this.#kernel
    for (let steps = 0; this.#awaited.size > 0; steps++) {
      clock.fireDue()
      const ready = inOrderOfTime(this.#ready())
      if (ready.length + runnable.length === 0) {
        const next = clock.next()
        if (next === undefined) return
        if (!clock.jumps) {
          this.#wakeAt(next)
          return
        }
        clock.waitUntil(next)
        continue
      }
      if (steps === mostSteps || !this.#move(ready)) return
    }
  }

  /** Whether another turn would find a move, or a time to wait for. */
  get #canMove(): boolean {
    const { clock, runnable } = this.#kernel
    if (runnable.length > 0 || this.#ready().length > 0) return true
    return clock.next() !== undefined && this.#timer === null
  }

  /**
   * Makes one move, for an exploration: 'settled' if host code has to run after it, else 'stepped'; 'stuck' if no move
   * is possible.
   *
   * After 'settled' the host's code must come to rest before the next move: microtasks, then a turn of the event loop.
   *
   * Once the host `isDone`, no time passes but for its own sleeps: what it left asleep stays so.
   */
  move(isDone = false): 'stepped' | 'settled' | 'stuck' {
    const kernel = this.#kernel
    kernel.clock.fireDue()
    const ready = this.#ready()
    if (ready.length + kernel.runnable.length === 0)
      return (!isDone || this.#sleeps) && kernel.letTimePass() ? 'stepped' : 'stuck'
    return this.#move(ready) ? 'stepped' : 'settled'
  }

  /** Whether the host awaits the end of a sleep that would keep a JavaScript process alive. */
  get #sleeps(): boolean {
    return [...this.#awaited].some(({ reason, keepsAlive }) => reason.on === 'sleep' && keepsAlive)
  }

  /** What could settle now: nothing once the host was killed. */
  #ready(): readonly Awaited[] {
    if (this.#kernel.host.exiting) return nothing
    let ready: Awaited[] | undefined
    for (const awaited of this.#awaited) {
      if (!awaited.isReady) continue
      ready ??= []
      ready.push(awaited)
    }
    return ready ?? nothing
  }

  /** Makes one move; whether the turn may go on, which a settlement ends. */
  #move(ready: readonly Awaited[]): boolean {
    const kernel = this.#kernel
    const tasks = kernel.runnable
    const chosen = kernel.chooseActor(ready.length === 0 ? tasks : inOrder(ready, tasks))
    const settled = ready.length === 0 ? undefined : ready.find(awaited => awaited === chosen)
    if (settled === undefined) {
      kernel.move(chosen)
      return true
    }
    kernel.trace.moves?.(settled, kernel.host)
    kernel.trace.settling?.(settled)
    settled.settle()
    return false
  }

  #wakeAt(at: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(
      () => {
        this.#timer = null
        this.stir()
      },
      Math.max(0, Math.ceil(at - this.#kernel.clock.now())),
    )
    this.updateKeepAlive()
  }

  /** The scheduled turn and timer keep the JavaScript process alive only while something awaited does. */
  updateKeepAlive(): void {
    const keep = [...this.#awaited].some(({ keepsAlive }) => keepsAlive)
    for (const handle of [this.#turn, this.#timer] as (Cancellable | null)[]) {
      if (keep) handle?.ref?.()
      else handle?.unref?.()
    }
  }
}

/** Without the sleeps that must wait for an earlier one, as Node's timers fire in the order of their times. */
function inOrderOfTime(ready: readonly Awaited[]): readonly Awaited[] {
  let earliest = Number.POSITIVE_INFINITY
  for (const { reason } of ready) if (reason.on === 'sleep') earliest = Math.min(earliest, reason.deadline)
  return ready.filter(({ reason }) => reason.on !== 'sleep' || reason.deadline === earliest)
}
