/** Waits for our children by their pids, whenever SIGCHLD says that some child may have changed. Never for anybody else's. */

import { constants } from '../system/constants.ts'
import { SystemError } from '../system/errors.ts'
import type { System, WaitResult } from '../system/system.ts'
import { isExit } from '../system/wait-status.ts'

const { WNOHANG, __WALL } = constants

/** Who is told of a child's changes. */
export interface ChildListener {
  /** A change of state, in order; the last is an exit. */
  changed(result: WaitResult): void
  /** waitpid failed for good: somebody else has reaped the child. */
  lost(error: SystemError): void
}

/** One child that is waited for, from its fork to its end. */
export class WatchedChild {
  readonly system: System
  readonly pid: number
  readonly #listener: ChildListener
  readonly #watch: ChildWatch
  #options: number = __WALL
  #ended = false
  #keepsAlive = true

  constructor(system: System, pid: number, listener: ChildListener) {
    this.system = system
    this.pid = pid
    this.#listener = listener
    this.#watch = watchOf(system)
    this.#watch.add(this)
  }

  /** Whether it ended and was reaped; its pid may be somebody else's by now. */
  get ended(): boolean {
    return this.#ended
  }

  /** Whether the event loop is to stay alive for it. */
  get keepsAlive(): boolean {
    return this.#keepsAlive
  }

  set keepsAlive(value: boolean) {
    this.#keepsAlive = value
    this.#watch.update()
  }

  /** Further events to be told of, beside exits and ptrace stops: WUNTRACED, WCONTINUED. */
  alsoWaitFor(options: number): void {
    this.#options = __WALL | options
  }

  /** Takes every change that is there already. */
  poll(): void {
    while (!this.#ended && this.#wait(WNOHANG)) {}
  }

  /** Blocks until the next change. */
  block(): void {
    if (!this.#ended) this.#wait(0)
  }

  #wait(how: number): boolean {
    let result: WaitResult | null
    try {
      result = this.system.waitpid(this.pid, this.#options | how)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      if (error.code === 'EINTR') return true
      this.#end()
      this.#listener.lost(error)
      return false
    }
    if (result === null) return false
    const { kind } = result.status
    if (isExit(result.status)) this.#end()
    this.#listener.changed(result)
    // Stopped, it changes no more until it is resumed or killed, and SIGCHLD tells of what comes of that.
    return kind !== 'stopped'
  }

  #end(): void {
    this.#ended = true
    this.#watch.remove(this)
  }
}

/** All the watched children of one System. */
class ChildWatch {
  readonly #system: System
  readonly #children = new Set<WatchedChild>()
  #keepAlive: (() => void) | undefined

  constructor(system: System) {
    this.#system = system
    // Kept for good: starting and stopping the signal watcher costs more than a listener that finds nothing to do.
    system.onChildChange(() => this.#check(), { keepAlive: false })
  }

  add(child: WatchedChild): void {
    this.#children.add(child)
    this.update()
  }

  remove(child: WatchedChild): void {
    this.#children.delete(child)
    this.update()
  }

  update(): void {
    let wanted = false
    for (const child of this.#children) wanted ||= child.keepsAlive
    if (wanted) {
      this.#keepAlive ??= this.#system.onChildChange(() => {}, { keepAlive: true })
    } else {
      this.#keepAlive?.()
      this.#keepAlive = undefined
    }
  }

  #check(): void {
    // Children that a listener adds meanwhile are polled too, which does no harm.
    for (const child of this.#children) {
      try {
        child.poll()
      } catch (error) {
        // A listener's fault must not keep the news from the other children.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}

const watches = new WeakMap<System, ChildWatch>()

/** To be called before a fork: what happens to a child before its system is watched is announced to nobody. */
export function watchChildren(system: System): void {
  watchOf(system)
}

function watchOf(system: System): ChildWatch {
  let watch = watches.get(system)
  if (watch === undefined) {
    watch = new ChildWatch(system)
    watches.set(system, watch)
  }
  return watch
}
