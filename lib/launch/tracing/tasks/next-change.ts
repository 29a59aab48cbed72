/** Waits for a child's next change of state. There may be any number of waits; the next change settles them all. */

import type { SystemError } from '../../../system/errors.ts'
import type { System } from '../../../system/system.ts'
import type { WaitStatus } from '../../../system/wait-status.ts'
import { orAborted } from '../../base/deadline.ts'
import type { WatchedChild } from '../../children/watched-child.ts'

interface Waiter {
  settle(status: WaitStatus): void
  fail(error: Error): void
}

const none: readonly Waiter[] = []

export class NextChange {
  readonly #system: System
  readonly #watched: () => WatchedChild
  // Made on first use: most threads are waited for by a loop alone.
  #waiters: Set<Waiter> | undefined

  constructor(system: System, watched: () => WatchedChild) {
    this.#system = system
    this.#watched = watched
  }

  /** The next change; the child must not have ended. */
  async wait(signal?: AbortSignal): Promise<WaitStatus> {
    let waiter: Waiter | undefined
    const change = new Promise<WaitStatus>((settle, fail) => {
      waiter = { settle, fail }
      this.#add(waiter)
    })
    // A change from before this wait raises no further event.
    this.#watched().poll()
    try {
      return await orAborted(change, signal)
    } finally {
      this.#waiters?.delete(waiter!)
    }
  }

  /** As wait(), but undefined after `timeoutMs`. */
  waitWithin(timeoutMs: number): Promise<WaitStatus | undefined> {
    return new Promise((resolve, reject) => {
      const timeout = new AbortController()
      const settle = (status: WaitStatus | undefined) => {
        resolve(status)
        // Not the default reason, which nothing sees: a DOMException costs more than the rest of the wait.
        timeout.abort(null)
      }
      const waiter = { settle, fail: reject }
      this.#add(waiter)
      const giveUp = () => {
        // A pending change settles the wait first.
        this.#watched().poll()
        this.#waiters?.delete(waiter)
        resolve(undefined)
      }
      this.#system.sleep(timeoutMs, { signal: timeout.signal }).then(giveUp, () => {})
      this.#watched().poll()
    })
  }

  #add(waiter: Waiter): void {
    this.#waiters ??= new Set()
    this.#waiters.add(waiter)
  }

  settle(status: WaitStatus): void {
    for (const waiter of this.#take()) waiter.settle(status)
  }

  fail(error: SystemError): void {
    for (const waiter of this.#take()) waiter.fail(error)
  }

  /** Removes all waiters: each is woken once, and waits again for a further change. */
  #take(): readonly Waiter[] {
    if (this.#waiters === undefined || this.#waiters.size === 0) return none
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    return waiters
  }
}
