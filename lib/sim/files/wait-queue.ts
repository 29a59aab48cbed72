/**
 * Wait queues: which waiters an event wakes, and in which order.
 *
 * The order is observable, so it is Linux's. Watchers (poll, epoll) and shared waiters join at the front, most
 * exclusive ones at the back. A wake-up goes through the queue from the front until one exclusive waiter takes it.
 *
 *     joinShared(r1) joinLast(w1) joinLast(w2)    queue: r1 w1 w2
 *     wake(…)                                     wakes r1 and w1; w2 stays
 */

import { removeFrom } from '../base/remove-from.ts'
import type { Actor, Choice } from '../base/scheduler.ts'
import type { Tracepoint } from '../base/tracepoint.ts'
import { youngArray } from '../base/young-array.ts'

/** The task of a blocked call, as a queue knows it. */
export interface WaitingTask extends Actor {
  readonly state: string
  readonly process: { readonly id: number }
  readonly kernel: {
    readonly choosesWaiters: boolean
    readonly trace: { readonly wakeTaken: Tracepoint<[task: WaitingTask]> }
    choose(choice: Choice): number
  }
}

/** An entry's owner: a blocked call, or a watcher such as an epoll registration. */
export interface Waiter {
  /** The task of a blocked call; a watcher has none. */
  readonly task?: WaitingTask
  /**
   * Notifies the waiter. `events` is a mask of EPOLL* bits, 0 for any event (a close, a shutdown).
   * Returns whether the waiter took the wake-up; one not taken goes on to the next waiter.
   */
  wake(events: number): boolean
}

interface Entry {
  readonly waiter: Waiter
  /** A wake-up it takes goes no further. */
  readonly exclusive: boolean
  /** It leaves the queue when it takes a wake-up; watchers stay. */
  readonly once: boolean
}

/** One queue of waiters. */
export class WaitQueue {
  #entries = youngArray<Entry>()

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  /** Adds a watcher in front: every wake-up that reaches it wakes it, and it stays until removed. */
  watch(waiter: Waiter): void {
    this.#entries.unshift({ waiter, exclusive: false, once: false })
  }

  /** EPOLLEXCLUSIVE: adds a watcher at the back; a wake-up it takes goes no further. */
  watchExclusively(waiter: Waiter): void {
    this.#entries.push({ waiter, exclusive: true, once: false })
  }

  /** Adds a blocked call in front; it passes wake-ups on. */
  joinShared(waiter: Waiter): void {
    this.#entries.unshift({ waiter, exclusive: false, once: true })
  }

  /** Adds an exclusive blocked call at the back: the first to arrive is woken first. */
  joinLast(waiter: Waiter): void {
    this.#entries.push({ waiter, exclusive: true, once: true })
  }

  /** Adds an exclusive blocked call in front: the last to arrive is woken first, as in epoll_wait(2). */
  joinFirst(waiter: Waiter): void {
    this.#entries.unshift({ waiter, exclusive: true, once: true })
  }

  /** Removes a waiter, if it is in the queue. */
  remove(waiter: Waiter): void {
    const index = this.#entries.findIndex(entry => entry.waiter === waiter)
    if (index >= 0) this.#entries.splice(index, 1)
  }

  /** Wakes waiters from the front, up to and including the first exclusive one that takes it. */
  wake(events: number): void {
    if (this.#entries.length > 0) this.#wake(events, false)
  }

  wakeAll(events: number): void {
    if (this.#entries.length > 0) this.#wake(events, true)
  }

  #wake(events: number, all: boolean): void {
    // Iterates over a copy: a woken waiter leaves the queue.
    const entries = all ? [...this.#entries] : inOrder(this.#entries)
    for (const entry of entries) {
      const { waiter, exclusive, once } = entry
      if (!waiter.wake(events)) continue
      if (once) removeFrom(this.#entries, entry)
      if (!exclusive || all) continue
      if (entry !== entries[entries.length - 1]) waiter.task?.kernel.trace.wakeTaken?.(waiter.task)
      return
    }
  }
}

/**
 * The order in which a wake-up goes through the queue. Linux has an order but promises none, so in an exploration the
 * scheduler chooses which exclusive waiter comes first.
 */
function inOrder(entries: readonly Entry[]): Entry[] {
  const copy = [...entries]
  if (copy.length < 2) return copy
  const rivals = copy.filter(({ exclusive, once, waiter }) => exclusive && once && waiter.task?.state === 'waiting')
  const kernel = rivals[0]?.waiter.task?.kernel
  if (rivals.length < 2 || !kernel?.choosesWaiters) return copy
  const chosen = rivals[kernel.choose({ kind: 'wake', options: rivals.map(({ waiter }) => waiter.task!) })]!
  removeFrom(copy, chosen)
  copy.splice(copy.indexOf(rivals.find(rival => rival !== chosen)!), 0, chosen)
  return copy
}
