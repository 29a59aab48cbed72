/** Waits for launched children by pid at each SIGCHLD. Other children of this process are never reaped. */

import { constants } from '../system/constants.ts'
import { SystemError } from '../system/errors.ts'
import { privateCallsOf } from '../system/private-calls.ts'
import type { System, WaitResult } from '../system/system.ts'
import { isExit } from '../system/wait-status.ts'

const { WNOHANG, __WALL } = constants

/** Receives a child's changes. */
export interface ChildListener {
  /** A change of state, in order; the last is an exit. */
  changed(result: WaitResult): void
  /** waitpid failed for good: another waiter has reaped the child. */
  lost(error: SystemError): void
  /** A SIGCHLD came, but this child had no change to take. */
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

  /** Whether the child has ended and is reaped. Its pid may belong to another process by now. */
  get ended(): boolean {
    return this.#ended
  }

  /** Whether the child keeps the event loop alive. */
  get keepsAlive(): boolean {
    return this.#keepsAlive
  }

  set keepsAlive(value: boolean) {
    this.#keepsAlive = value
    this.#watch.update()
  }

  /** Waits for further events, besides exits and ptrace stops: WUNTRACED, WCONTINUED. */
  alsoWaitFor(options: number): void {
    this.#options = __WALL | options
  }

  /**
   * Suspends waitpid until release(). A child that ends meanwhile stays a zombie, about which the kernel can tell more
   * than its status.
   */
  hold(): void {
    this.#isHeld = true
  }

  /** Ends a hold and takes the changes that came during it. */
  release(): void {
    this.#isHeld = false
    if (this.#missedNews) this.poll()
  }

  /** Takes every pending change; whether there was one. */
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

  /** As poll(), but a listener that throws does not stop the caller: its error is uncaught, as that of any event. */
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
    // A stopped child changes only when resumed or killed, and each change raises another SIGCHLD.
    return kind === 'stopped' ? 'last' : 'more'
  }

  #end(): void {
    this.#ended = true
    this.#watch.remove(this)
    privateCallsOf(this.system)?.awaitedChildren.delete(this.pid)
  }
}

/** Up to this count, quiet children are notified at once. */
const fewChildren = 8
/** Delay for more children: SIGCHLD is then so frequent that notifying every child each time would dominate. */
const quietMs = 20

/** All the watched children of one System. */
class ChildWatch {
  readonly #system: System
  readonly #children = new Set<WatchedChild>()
  #keepAlive: (() => void) | undefined
  #isQuietDue = false

  constructor(system: System) {
    this.#system = system
    // Never removed: starting and stopping the signal watcher costs more than an idle listener.
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
    // A listener may add children to the set: polling them too does no harm.
    for (const child of this.#children) if (!child.check()) quiet.push(child)
    if (quiet.length <= fewChildren) tellQuiet(quiet)
    else if (!this.#isQuietDue) this.#tellAllSoon()
  }

  /** Notifies all children once after a delay. One notification covers every SIGCHLD until then. */
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

/** Must run before a fork: a change that precedes the watch raises no event. */
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
