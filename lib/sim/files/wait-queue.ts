/**
 * Wait queues: who is woken, in which order, when something changes.
 *
 * Linux keeps one order for all: watchers (poll, epoll) and non-exclusive waiters go to the front, exclusive ones to the back, and a
 * wake-up goes through the queue until one exclusive waiter has taken it. That order is observable, so it is kept here.
 */

import { youngArray } from '../base/young-array.ts'
import type { Task } from '../processes/task.ts'

/** Somebody in a queue. */
export interface Waiter {
  /** Of a blocked call: whose it is. */
  readonly task?: Task
  /**
   * Something happened: `events` is a mask of EPOLL* bits, 0 for 'anything' (a close, a shutdown).
   * Answers whether the wake-up was taken; one not taken goes on to the next.
   */
  wake(events: number): boolean
}

interface Entry {
  readonly waiter: Waiter
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

  /** A watcher, which stays until removed; one that is `exclusive` stands at the back and shares wake-ups. */
  watch(waiter: Waiter, exclusive = false): void {
    if (exclusive) this.#entries.push({ waiter, exclusive: true, once: false })
    else this.#entries.unshift({ waiter, exclusive: false, once: false })
  }

  /** A blocked call that every wake-up wakes. */
  join(waiter: Waiter): void {
    this.#entries.unshift({ waiter, exclusive: false, once: true })
  }

  /** A blocked call that wants a wake-up of its own, behind those that came before. */
  queue(waiter: Waiter): void {
    this.#entries.push({ waiter, exclusive: true, once: true })
  }

  /** A blocked call that wants a wake-up of its own and gets it before those that came earlier, as epoll_wait does. */
  push(waiter: Waiter): void {
    this.#entries.unshift({ waiter, exclusive: true, once: true })
  }

  /** Takes a waiter out, if it is in. */
  remove(waiter: Waiter): void {
    const index = this.#entries.findIndex(entry => entry.waiter === waiter)
    if (index >= 0) this.#entries.splice(index, 1)
  }

  /** Wakes everybody up to and including the first exclusive waiter that takes it. */
  wake(events: number): void {
    if (this.#entries.length > 0) this.#wake(events, false)
  }

  /** Wakes everybody. */
  wakeAll(events: number): void {
    if (this.#entries.length > 0) this.#wake(events, true)
  }

  #wake(events: number, everybody: boolean): void {
    // A copy: who is woken leaves the queue meanwhile.
    for (const entry of everybody ? [...this.#entries] : inOrder(this.#entries)) {
      const taken = entry.waiter.wake(events)
      if (!taken) continue
      if (entry.once) {
        const index = this.#entries.indexOf(entry)
        if (index >= 0) this.#entries.splice(index, 1)
      }
      if (entry.exclusive && !everybody) return
    }
  }
}

/** The order in which a wake-up for one goes through a queue. Linux keeps one, but promises none: an explorer may want another to be the first. */
function inOrder(entries: readonly Entry[]): Entry[] {
  const copy = [...entries]
  if (copy.length < 2) return copy
  const rivals = copy.filter(({ exclusive, once, waiter }) => exclusive && once && waiter.task?.state === 'waiting')
  const kernel = rivals[0]?.waiter.task?.kernel
  if (rivals.length < 2 || !kernel?.choosesWaiters) return copy
  const chosen = rivals[kernel.choose({ kind: 'wake', options: rivals.map(({ waiter }) => waiter.task!) })]!
  copy.splice(copy.indexOf(chosen), 1)
  copy.splice(copy.indexOf(rivals.find(rival => rival !== chosen)!), 0, chosen)
  return copy
}
