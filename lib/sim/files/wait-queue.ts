/**
 * Wait queues: which waiters are woken, in which order, when something changes.
 *
 * Linux keeps one order for all: watchers (poll, epoll) and shared waiters go to the front, exclusive ones to the back, and a wake-up goes
 * through the queue until one exclusive waiter has taken it. That order is observable, so it is kept here.
 *
 *     joinShared(r1) joinLast(w1) joinLast(w2)    queue: r1 w1 w2
 *     wake(…)                                     wakes r1 and w1; w2 stays
 */

import { removeFrom } from '../base/remove-from.ts'
import type { Actor, Choice } from '../base/scheduler.ts'
import { youngArray } from '../base/young-array.ts'

/** The task of a blocked call, as far as a queue asks. */
interface WaitingTask extends Actor {
  readonly state: string
  readonly kernel: { readonly choosesWaiters: boolean; choose(choice: Choice): number }
}

/** What stands in a queue. */
export interface Waiter {
  /** The task of a blocked call. */
  readonly task?: WaitingTask
  /**
   * Something happened: `events` is a mask of EPOLL* bits, 0 for 'anything' (a close, a shutdown).
   * Answers whether the wake-up was taken; one not taken goes on to the next.
   */
  wake(events: number): boolean
}

interface Entry {
  readonly waiter: Waiter
  /** Takes a wake-up for itself; those behind it are not woken. */
  readonly exclusive: boolean
  /** Leaves the queue when it takes a wake-up; watchers stay. */
  readonly once: boolean
}

/** One queue of waiters. */
export class WaitQueue {
  #entries = youngArray<Entry>()

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  /** A watcher: woken every time, and stays until removed. */
  watch(waiter: Waiter): void {
    this.#entries.unshift({ waiter, exclusive: false, once: false })
  }

  /** A watcher that stands at the back and takes wake-ups for itself, EPOLLEXCLUSIVE. */
  watchExclusively(waiter: Waiter): void {
    this.#entries.push({ waiter, exclusive: true, once: false })
  }

  /** A blocked call that every wake-up wakes. */
  joinShared(waiter: Waiter): void {
    this.#entries.unshift({ waiter, exclusive: false, once: true })
  }

  /** A blocked call that takes a wake-up for itself, after those that came before it. */
  joinLast(waiter: Waiter): void {
    this.#entries.push({ waiter, exclusive: true, once: true })
  }

  /** A blocked call that takes a wake-up for itself, before those that came before it, as epoll_wait does. */
  joinFirst(waiter: Waiter): void {
    this.#entries.unshift({ waiter, exclusive: true, once: true })
  }

  /** Takes a waiter out, if it is in. */
  remove(waiter: Waiter): void {
    const index = this.#entries.findIndex(entry => entry.waiter === waiter)
    if (index >= 0) this.#entries.splice(index, 1)
  }

  /** Wakes all up to and including the first exclusive waiter that takes it. */
  wake(events: number): void {
    if (this.#entries.length > 0) this.#wake(events, false)
  }

  wakeAll(events: number): void {
    if (this.#entries.length > 0) this.#wake(events, true)
  }

  #wake(events: number, all: boolean): void {
    // A copy: a waiter that is woken leaves the queue meanwhile.
    for (const entry of all ? [...this.#entries] : inOrder(this.#entries)) {
      const taken = entry.waiter.wake(events)
      if (!taken) continue
      if (entry.once) removeFrom(this.#entries, entry)
      if (entry.exclusive && !all) return
    }
  }
}

/** The order in which a wake-up for one goes through a queue. Linux keeps one, but promises none: an exploration tries the others. */
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
