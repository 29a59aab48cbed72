/** Readiness of descriptors and changes of children on the event loop, over the addon's one epoll and one signal watcher. */

import { constants } from '../system/constants.ts'
import { SystemError } from '../system/errors.ts'
import type { Addon } from './addon.ts'

const { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, POLLERR, POLLHUP, POLLNVAL } = constants

// Reported whether asked for or not.
const always = POLLERR | POLLHUP | POLLNVAL

const eexist = -17

interface Waiter {
  readonly events: number
  readonly settle: (revents: number) => void
  readonly fail: (reason: unknown) => void
}

interface Watch {
  readonly fd: number
  // Tells this watch from an earlier one of the same number whose event is still on its way.
  readonly token: number
  readonly waiters: Set<Waiter>
}

interface Subscription {
  readonly listener: () => void
  readonly keepAlive: boolean
}

export class LoopWatch {
  readonly #addon: Addon
  readonly #ready: Int32Array
  readonly #watches = new Map<number, Watch>()
  readonly #subscriptions = new Set<Subscription>()
  #nextToken = 1

  constructor(addon: Addon) {
    this.#addon = addon
    this.#ready = new Int32Array(addon.readyWords)
    addon.setListeners(
      count => this.#deliver(count),
      () => this.#announceChildChange(),
      this.#ready,
    )
  }

  /** Resolves with revents once `fd` has one of `events`, an error or a hang-up. */
  ready(fd: number, events: number, signal: AbortSignal | undefined): Promise<number> {
    return new Promise<number>((resolve, reject) => {
      if (signal?.aborted) throw signal.reason
      const watch = this.#liveWatch(fd) ?? this.#newWatch(fd)
      const abort = () => {
        this.#remove(watch, waiter)
        waiter.fail(signal?.reason)
      }
      const waiter: Waiter = {
        events: events | always,
        settle: revents => {
          signal?.removeEventListener('abort', abort)
          resolve(revents)
        },
        fail: reason => {
          signal?.removeEventListener('abort', abort)
          reject(reason)
        },
      }
      const isNew = watch.waiters.size === 0
      watch.waiters.add(waiter)
      let result = this.#arm(watch, isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD)
      // The file stood at this number before, was replaced there, lived on in a copy, and is back.
      if (result === eexist) result = this.#arm(watch, EPOLL_CTL_MOD)
      if (result < 0) {
        watch.waiters.delete(waiter)
        if (isNew) this.#watches.delete(fd)
        throw badDescriptor(result)
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#updateKeepAlive()
    })
  }

  /** To be called before this process closes or replaces a descriptor: whoever waits on it learns that it is gone. */
  forget(fd: number): void {
    const watch = this.#watches.get(fd)
    if (watch === undefined) return
    this.#drop(watch)
    for (const waiter of watch.waiters) waiter.fail(badDescriptor())
  }

  /** Calls the listener at each SIGCHLD; returns the function that unsubscribes. */
  onChildChange(listener: () => void, keepAlive: boolean): () => void {
    const subscription: Subscription = { listener, keepAlive }
    if (this.#subscriptions.size === 0) {
      const result = this.#addon.watchChildren(true)
      if (result < 0) throw new SystemError({ errno: result, syscall: 'sigaction' })
    }
    this.#subscriptions.add(subscription)
    this.#updateKeepAlive()
    return () => {
      if (!this.#subscriptions.delete(subscription)) return
      if (this.#subscriptions.size === 0) this.#addon.watchChildren(false)
      this.#updateKeepAlive()
    }
  }

  /** The watch of a number that still means the file it was begun for: one closed behind our back may have come again. */
  #liveWatch(fd: number): Watch | undefined {
    const watch = this.#watches.get(fd)
    if (watch === undefined || this.#arm(watch, EPOLL_CTL_MOD) >= 0) return watch
    this.forget(fd)
    return undefined
  }

  #newWatch(fd: number): Watch {
    const watch: Watch = { fd, token: this.#nextToken, waiters: new Set() }
    this.#nextToken = (this.#nextToken + 1) & 0x7fffffff
    this.#watches.set(fd, watch)
    return watch
  }

  #arm(watch: Watch, operation: number): number {
    let events = 0
    for (const waiter of watch.waiters) events |= waiter.events
    return this.#addon.arm(operation, watch.fd, events >>> 0, watch.token)
  }

  #drop(watch: Watch): number {
    this.#watches.delete(watch.fd)
    const result = this.#addon.arm(EPOLL_CTL_DEL, watch.fd, 0, 0)
    this.#updateKeepAlive()
    return result
  }

  #remove(watch: Watch, waiter: Waiter): void {
    watch.waiters.delete(waiter)
    if (watch.waiters.size === 0) this.#drop(watch)
  }

  #deliver(count: number): void {
    // Copied first: a listener may lead to another delivery into the same words.
    const words = this.#ready.slice(0, count * 3)
    for (let i = 0; i < words.length; i += 3) {
      const watch = this.#watches.get(words[i]!)
      if (watch !== undefined && watch.token === words[i + 1]) this.#settle(watch, words[i + 2]!)
    }
  }

  #settle(watch: Watch, revents: number): void {
    const settled = [...watch.waiters].filter(waiter => (waiter.events & revents) !== 0)
    for (const waiter of settled) watch.waiters.delete(waiter)
    const result = watch.waiters.size === 0 ? this.#drop(watch) : this.#arm(watch, EPOLL_CTL_MOD)
    if (result < 0) {
      // Closed or replaced behind our back: the event was about a file that this number no longer means.
      if (watch.waiters.size > 0) this.#drop(watch)
      for (const waiter of [...settled, ...watch.waiters]) waiter.fail(badDescriptor())
      return
    }
    for (const waiter of settled) waiter.settle(revents & waiter.events)
  }

  #announceChildChange(): void {
    // One that is added meanwhile is called too, which does no harm.
    for (const { listener } of this.#subscriptions) {
      try {
        listener()
      } catch (error) {
        // One listener's fault must not keep the news from the others.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  #updateKeepAlive(): void {
    let children = false
    for (const subscription of this.#subscriptions) children ||= subscription.keepAlive
    this.#addon.keepAlive(this.#watches.size > 0, children)
  }
}

function badDescriptor(errno: number | string = 'EBADF'): SystemError {
  return new SystemError({ errno, syscall: 'ready' })
}
