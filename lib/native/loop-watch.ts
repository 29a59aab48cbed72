/** Descriptor readiness and child changes on the event loop, over the addon's single epoll and signal watcher. */

import { callListener } from '../system/call-listener.ts'
import { constants } from '../system/constants.ts'
import { SystemError } from '../system/errors.ts'
import type { ReadinessListener, ReadinessWatch } from '../system/system.ts'
import type { Addon } from './addon.ts'

const { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, POLLERR, POLLHUP, POLLNVAL } = constants

// The kernel reports these even if they are not requested.
const always = POLLERR | POLLHUP | POLLNVAL

const eexist = -17

interface Waiter extends ReadinessListener {
  readonly events: number
  /** Stays registered until removed. Re-registering would cost a stream one more system call for each chunk. */
  readonly stays: boolean
  keepsAlive: boolean
}

interface Watch {
  readonly fd: number
  // Distinguishes this watch from an earlier one of the same number, whose event may still be in flight.
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
  /** The number of waiters that keep the event loop alive. */
  #waitersAlive = 0
  #subscriptionsAlive = 0
  // What the addon keeps the event loop alive for.
  #isAliveForReadiness = false
  #isAliveForChildren = false

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
      const abort = () => {
        this.#remove(watch, waiter)
        reject(signal?.reason)
      }
      const waiter: Waiter = {
        events: events | always,
        stays: false,
        keepsAlive: true,
        ready: revents => {
          signal?.removeEventListener('abort', abort)
          resolve(revents)
        },
        failed: reason => {
          signal?.removeEventListener('abort', abort)
          reject(reason)
        },
      }
      const watch = this.#add(fd, waiter)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /** Calls the listener whenever `fd` has one of `events`, an error or a hang-up. @throws EBADF, EPERM */
  watch(fd: number, events: number, { ready, failed }: ReadinessListener): ReadinessWatch {
    const waiter: Waiter = { events: events | always, stays: true, keepsAlive: true, ready, failed }
    const watch = this.#add(fd, waiter)
    const setKeepsAlive = (keepsAlive: boolean) => {
      if (keepsAlive === waiter.keepsAlive) return
      waiter.keepsAlive = keepsAlive
      if (watch.waiters.has(waiter)) this.#count(keepsAlive ? 1 : -1)
    }
    return {
      get keepsAlive() {
        return waiter.keepsAlive
      },
      set keepsAlive(keepsAlive) {
        setKeepsAlive(keepsAlive)
      },
      stop: () => this.#remove(watch, waiter),
    }
  }

  /** Must run before this process closes or replaces a descriptor: every waiter on it fails. */
  forget(fd: number): void {
    const watch = this.#watches.get(fd)
    if (watch === undefined) return
    this.#drop(watch)
    this.#fail(watch, [])
  }

  /** Calls the listener at each SIGCHLD; returns the function that unsubscribes. */
  onChildChange(listener: () => void, keepAlive: boolean): () => void {
    const subscription: Subscription = { listener, keepAlive }
    if (this.#subscriptions.size === 0) {
      const result = this.#addon.watchChildren(true)
      if (result < 0) throw new SystemError({ errno: result, syscall: 'sigaction' })
    }
    this.#subscriptions.add(subscription)
    this.#countSubscription(keepAlive ? 1 : 0)
    return () => {
      if (!this.#subscriptions.delete(subscription)) return
      if (this.#subscriptions.size === 0) this.#addon.watchChildren(false)
      this.#countSubscription(keepAlive ? -1 : 0)
    }
  }

  /** Whether the event loop stays alive for child changes, beside the subscriptions that keep it alive. */
  keepAlive(isAlive: boolean): void {
    this.#countSubscription(isAlive ? 1 : -1)
  }

  /** A fork of launch() has kept the event loop alive in the addon: keepAlive() is about to ask for it. */
  keptAliveByFork(): void {
    this.#isAliveForChildren = true
  }

  /**
   * The watch of a number, if it still means the same file. The descriptor may have been closed and reused without
   * this module's knowledge.
   */
  #liveWatch(fd: number): Watch | undefined {
    const watch = this.#watches.get(fd)
    if (watch === undefined || this.#arm(watch, EPOLL_CTL_MOD) >= 0) return watch
    this.forget(fd)
    return undefined
  }

  /** Registers a waiter for its events. Throws if the descriptor cannot be watched. */
  #add(fd: number, waiter: Waiter): Watch {
    const watch = this.#liveWatch(fd) ?? this.#newWatch(fd)
    const isNew = watch.waiters.size === 0
    watch.waiters.add(waiter)
    let result = this.#arm(watch, isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD)
    // EEXIST: the file left this number, survived in a duplicate, and has returned to the number.
    if (result === eexist) result = this.#arm(watch, EPOLL_CTL_MOD)
    if (result < 0) {
      watch.waiters.delete(waiter)
      if (isNew) this.#watches.delete(fd)
      throw badDescriptor(result)
    }
    if (waiter.keepsAlive) this.#count(1)
    return watch
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

  /** Removes the descriptor from the epoll. */
  #drop(watch: Watch): number {
    this.#watches.delete(watch.fd)
    return this.#addon.arm(EPOLL_CTL_DEL, watch.fd, 0, 0)
  }

  #remove(watch: Watch, waiter: Waiter): void {
    if (!watch.waiters.delete(waiter)) return
    if (watch.waiters.size === 0) this.#drop(watch)
    if (waiter.keepsAlive) this.#count(-1)
  }

  #deliver(count: number): void {
    // Copied first: a listener may cause another delivery into the same words.
    const words = this.#ready.slice(0, count * 3)
    for (let i = 0; i < words.length; i += 3) {
      const watch = this.#watches.get(words[i]!)
      if (watch !== undefined && watch.token === words[i + 1]) this.#settle(watch, words[i + 2]!)
    }
  }

  #settle(watch: Watch, revents: number): void {
    const concerned = [...watch.waiters].filter(waiter => (waiter.events & revents) !== 0)
    const ended = concerned.filter(waiter => !waiter.stays)
    for (const waiter of ended) watch.waiters.delete(waiter)
    // Re-armed before any listener runs: a listener may close the descriptor.
    const result = watch.waiters.size === 0 ? this.#drop(watch) : this.#arm(watch, EPOLL_CTL_MOD)
    if (result < 0) {
      // Closed or replaced without forget(): the event is about a file that this number no longer means.
      if (watch.waiters.size > 0) this.#drop(watch)
      this.#fail(watch, ended)
      return
    }
    this.#count(-aliveAmong(ended))
    for (const waiter of concerned) {
      // An earlier listener may have removed this one.
      if (!waiter.stays || watch.waiters.has(waiter)) callListener(() => waiter.ready(revents & waiter.events))
    }
  }

  /** Fails every waiter of a dropped watch, and those in `ended`, which are already removed. */
  #fail(watch: Watch, ended: readonly Waiter[]): void {
    const failed = [...ended, ...watch.waiters]
    watch.waiters.clear()
    this.#count(-aliveAmong(failed))
    for (const waiter of failed) callListener(() => waiter.failed(badDescriptor()))
  }

  #announceChildChange(): void {
    // A listener added meanwhile is called too, which is harmless.
    for (const { listener } of this.#subscriptions) callListener(listener)
  }

  #count(waiters: number): void {
    this.#waitersAlive += waiters
    this.#updateKeepAlive()
  }

  #countSubscription(change: number): void {
    this.#subscriptionsAlive += change
    this.#updateKeepAlive()
  }

  #updateKeepAlive(): void {
    const forReadiness = this.#waitersAlive > 0
    const forChildren = this.#subscriptionsAlive > 0
    if (forReadiness === this.#isAliveForReadiness && forChildren === this.#isAliveForChildren) return
    this.#isAliveForReadiness = forReadiness
    this.#isAliveForChildren = forChildren
    this.#addon.keepAlive(forReadiness, forChildren)
  }
}

function aliveAmong(waiters: readonly Waiter[]): number {
  let alive = 0
  for (const { keepsAlive } of waiters) if (keepsAlive) alive++
  return alive
}

function badDescriptor(errno: number | string = 'EBADF'): SystemError {
  return new SystemError({ errno, syscall: 'ready' })
}
