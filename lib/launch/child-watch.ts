/** Waits for our children by their pids, whenever SIGCHLD says that some child may have changed. Never for other children of the process. */

import { constants } from '../system/constants.ts'
import { SystemError } from '../system/errors.ts'
import { privateCallsOf } from '../system/private-calls.ts'
import type { System, WaitResult } from '../system/system.ts'
import { isExit } from '../system/wait-status.ts'

const { WNOHANG, __WALL } = constants

/** Told of a child's changes. */
export interface ChildListener {
  /** A change of state, in order; the last is an exit. */
  changed(result: WaitResult): void
  /** waitpid failed for good: another waiter has reaped the child. */
  lost(error: SystemError): void
  /** A SIGCHLD came, and of this child there was nothing to take then. */
  quiet?(): void
}

/** One child that is waited for, from its fork to its end. */
export class WatchedChild {
  readonly system: System
  readonly pid: number
  readonly listener: ChildListener
  readonly #watch: ChildWatch
  #options: number = __WALL
  #ended = false
  #keepsAlive = true
  #isHeld = false
  #missedNews = false

  constructor(system: System, pid: number, listener: ChildListener) {
    this.system = system
    this.pid = pid
    this.listener = listener
    this.#watch = watchOf(system)
    this.#watch.add(this)
    privateCallsOf(system)?.awaitedChildren.add(pid)
  }

  /** Whether it ended and was reaped; its pid may be another process's by now. */
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

  /** Makes no wait until release(): a child that has ended stays a zombie, of which the kernel can tell more than its status. */
  hold(): void {
    this.#isHeld = true
  }

  /** Ends a hold; takes what came meanwhile. */
  release(): void {
    this.#isHeld = false
    if (this.#missedNews) this.poll()
  }

  /** Takes every change that is there already; whether there was one. */
  poll(): boolean {
    let took = false
    this.#missedNews = this.#isHeld
    while (!this.#ended && !this.#isHeld) {
      const found = this.#wait(WNOHANG)
      took ||= found !== 'nothing'
      if (found !== 'more') break
    }
    return took
  }

  /** As poll(), where a listener that throws must not keep the caller from what comes next: its error is uncaught, as that of an event. */
  check(): boolean {
    try {
      return this.poll()
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
      return true
    }
  }

  /** Blocks until the next change. */
  block(): void {
    if (!this.#ended) this.#wait(0)
  }

  #wait(how: number): 'nothing' | 'last' | 'more' {
    let result: WaitResult | null
    try {
      result = this.system.waitpid(this.pid, this.#options | how)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      if (error.code === 'EINTR') return 'more'
      this.#end()
      this.listener.lost(error)
      return 'last'
    }
    if (result === null) return 'nothing'
    const { kind } = result.status
    if (isExit(result.status)) this.#end()
    this.listener.changed(result)
    // Stopped, it changes no more until it is resumed or killed, and SIGCHLD tells of what comes of that.
    return kind === 'stopped' ? 'last' : 'more'
  }

  #end(): void {
    this.#ended = true
    this.#watch.remove(this)
    privateCallsOf(this.system)?.awaitedChildren.delete(this.pid)
  }
}

/** As many quiet children are told so at once. */
const fewChildren = 8
/** Of more of them, SIGCHLD comes that often that telling each of each would take longer than all else. */
const quietMs = 20

/** All the watched children of one System. */
class ChildWatch {
  readonly #system: System
  readonly #children = new Set<WatchedChild>()
  #keepAlive: (() => void) | undefined
  #isQuietDue = false

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
    const quiet: WatchedChild[] = []
    // Children that a listener adds meanwhile are polled too, which does no harm.
    for (const child of this.#children) if (!child.check()) quiet.push(child)
    if (quiet.length <= fewChildren) tellQuiet(quiet)
    else if (!this.#isQuietDue) this.#tellAllSoon()
  }

  /** What is told later covers every SIGCHLD until then. */
  #tellAllSoon(): void {
    this.#isQuietDue = true
    void this.#system.sleep(quietMs).then(() => {
      this.#isQuietDue = false
      tellQuiet(this.#children)
    })
  }
}

function tellQuiet(children: Iterable<WatchedChild>): void {
  for (const child of children) child.listener.quiet?.()
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
