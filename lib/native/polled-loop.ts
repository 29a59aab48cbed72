/**
 * Replaces libuv's event loop, for runtimes with another one: a timer polls descriptors and children.
 *
 * While there is something to wait for, the timer starts at every millisecond. It slows to every 16 ms as long as
 * nothing happens.
 */

import { constants } from '../system/constants.ts'
import type { Addon } from './addon.ts'

const { EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL, F_DUPFD_CLOEXEC, F_GETFD } = constants

const epolloneshot = 2 ** 30
const wordsPerEvent = 3
const mostEvents = 64
// A token is below this; a descriptor times it is still a safe integer.
const tokens = 2 ** 31

const shortestMs = 1
const longestMs = 16
/** The interval while no waiter keeps the loop alive: children still need reaping. */
const idleMs = 100

const enoent = -2

type LoopCalls = Pick<Addon, 'setListeners' | 'arm' | 'keepAlive' | 'watchChildren' | 'lookAgain' | 'readyWords'>

/** The addon, with the calls of its event loop replaced. */
export function withPolledLoop(addon: Addon): Addon {
  const loop = new PolledLoop(addon)
  const calls: LoopCalls = {
    setListeners: (onReady, onChildChange, ready) => loop.setListeners(onReady, onChildChange, ready),
    arm: (operation, fd, events, token) => loop.arm(operation, fd, events, token),
    keepAlive: (readiness, children) => loop.keepAlive(readiness, children),
    watchChildren: on => loop.watchChildren(on),
    lookAgain: () => false,
    readyWords: wordsPerEvent * mostEvents,
  }
  return Object.assign(Object.create(addon), calls)
}

class PolledLoop {
  readonly #addon: Addon
  readonly #events = new Float64Array(2 * mostEvents)
  #onReady: (count: number) => void = () => {}
  #onChildChange: () => void = () => {}
  #ready: Int32Array = new Int32Array(0)
  // Open only while a descriptor is awaited, so that an idle worker leaves none at its end.
  #epoll = -1
  readonly #armed = new Set<number>()
  #watchesChildren = false
  #keepsAlive = false
  #timer: NodeJS.Timeout | undefined
  #nextMs = shortestMs

  constructor(addon: Addon) {
    this.#addon = addon
  }

  setListeners(onReady: (count: number) => void, onChildChange: () => void, ready: Int32Array): void {
    this.#onReady = onReady
    this.#onChildChange = onChildChange
    this.#ready = ready
  }

  arm(operation: number, fd: number, events: number, token: number): number {
    const isNew = this.#epoll < 0
    if (isNew) {
      if (operation !== EPOLL_CTL_ADD) return enoent
      // Checked before the epoll opens, which might get the number of a closed descriptor.
      const flags = this.#addon.fcntl(fd, F_GETFD, 0)
      if (flags < 0) return flags
      const opened = this.#openEpoll()
      if (opened < 0) return opened
      this.#epoll = opened
    }
    const data = fd * tokens + token
    const hasEvent = operation !== EPOLL_CTL_DEL
    const result = this.#addon.epollCtl(this.#epoll, operation, fd, hasEvent, (events | epolloneshot) >>> 0, data)
    if (!hasEvent) this.#armed.delete(fd)
    else if (result >= 0) this.#armed.add(fd)
    if (this.#armed.size === 0) this.#closeEpoll()
    this.#hurry()
    return result
  }

  keepAlive(readiness: boolean, children: boolean): void {
    this.#keepsAlive = readiness || children
    this.#hurry()
  }

  watchChildren(on: boolean): number {
    this.#watchesChildren = on
    this.#hurry()
    return 0
  }

  /** Opens above the standard descriptors: if one of those is closed, a child would inherit the epoll in its place. */
  #openEpoll(): number {
    const opened = this.#addon.epollCreate1(EPOLL_CLOEXEC)
    if (opened < 0 || opened > 2) return opened
    const above = this.#addon.fcntl(opened, F_DUPFD_CLOEXEC, 3)
    this.#addon.close(opened)
    return above
  }

  #closeEpoll(): void {
    if (this.#epoll >= 0) this.#addon.close(this.#epoll)
    this.#epoll = -1
  }

  /** Polls fast again: there is something new to wait for, or nothing more. */
  #hurry(): void {
    this.#nextMs = shortestMs
    this.#schedule()
  }

  #schedule(): void {
    const { clearTimeout, setTimeout } = process.getBuiltinModule('node:timers')
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#epoll < 0 && !this.#watchesChildren) return
    this.#timer = setTimeout(() => this.#look(), this.#keepsAlive ? this.#nextMs : idleMs)
    if (!this.#keepsAlive) this.#timer.unref()
  }

  #look(): void {
    this.#nextMs = Math.min(2 * this.#nextMs, longestMs)
    // First: a listener that throws must not stop the timer.
    this.#schedule()
    const count = this.#epoll < 0 ? 0 : this.#addon.epollWait(this.#epoll, mostEvents, 0, this.#events)
    if (count > 0) {
      for (let i = 0; i < count; i++) {
        const [events, data] = [this.#events[2 * i]!, this.#events[2 * i + 1]!]
        this.#ready.set([Math.floor(data / tokens), data % tokens, events], wordsPerEvent * i)
      }
      this.#onReady(count)
    }
    if (this.#watchesChildren) this.#onChildChange()
  }
}
