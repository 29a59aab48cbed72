/**
 * Waits for launched children and traced threads at each SIGCHLD. Other children of this process are never reaped.
 *
 * Few tasks are each asked with waitpid(2). Among many, waitid(2) finds those that have changed, without taking the
 * change (WNOWAIT): with __WCLONE it sees this thread's tracees and no ordinary children, so that a zombie of other
 * code does not hide them. Each change is then taken by its task's own number.
 */

import { callListener } from '../system/call-listener.ts'
import { constants } from '../system/constants.ts'
import { isErrno, SystemError } from '../system/errors.ts'
import { privateCallsOf } from '../system/private-calls.ts'
import type { System, WaitidResult, WaitResult } from '../system/system.ts'
import { isExit } from '../system/wait-status.ts'
import { pause } from './pause.ts'

const { P_ALL, WEXITED, WNOHANG, WNOWAIT, __WALL, __WCLONE, __WNOTHREAD } = constants

const anyTracee = WEXITED | WNOWAIT | __WCLONE | __WNOTHREAD

/** Receives a child's changes. */
export interface ChildListener {
  /** A change of state, in order; the last is an exit. */
  changed(result: WaitResult): void
  /** waitpid failed for good: another waiter has reaped the child. */
  lost(error: SystemError): void
  /** A SIGCHLD came, but this child had no change to take. */
  quiet?(): void
  /** A thread has ended with code 0 and is about to be reaped. */
  ending?(): void
}

/** Receives the number of a traced task that nothing waits for; whether it was taken. */
export type StrangerListener = (tid: number) => boolean

/** One child, or one traced thread, that is waited for, from its start to its end. */
export class WatchedChild {
  readonly system: System
  readonly pid: number
  readonly listener: ChildListener
  readonly #watch: ChildWatch
  #options: number = __WALL
  #ended = false
  #keepsAlive: boolean
  #isFound = false
  #isHeld = false
  #missedNews = false

  constructor(system: System, pid: number, listener: ChildListener, keepsAlive = true) {
    this.system = system
    this.pid = pid
    this.listener = listener
    this.#keepsAlive = keepsAlive
    this.#watch = watchOf(system)
    this.#watch.add(this)
    privateCallsOf(system)?.awaitedChildren.add(pid)
  }

  /** Whether the child has ended and is reaped, or is forgotten. Its pid may belong to another process by now. */
  get ended(): boolean {
    return this.#ended
  }

  /** Whether the child keeps the event loop alive. */
  get keepsAlive(): boolean {
    return this.#keepsAlive
  }

  set keepsAlive(value: boolean) {
    if (value === this.#keepsAlive) return
    this.#keepsAlive = value
    if (!this.#ended) this.#watch.count(value ? 1 : -1)
  }

  /** Whether it is a tracee of this thread, whose changes a search among all tracees finds. */
  get isFound(): boolean {
    return this.#isFound
  }

  set isFound(value: boolean) {
    if (this.#ended || value === this.#isFound) return
    this.#isFound = value
    this.#watch.sort(this)
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

  /** Ends the watch of a task that other code reaps, or that is no longer there. */
  forget(): void {
    if (!this.#ended) this.#end()
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
    let took = true
    callListener(() => {
      took = this.poll()
    })
    return took
  }

  /** Blocks until the next change: of this child, or of any traced task where it is one. */
  block(): void {
    if (this.#ended) return
    // A search finds what waitpid takes: alone, a tracee is waited for at once.
    if (!this.#isFound || this.#watch.isOnlyTracee(this)) this.#wait(0)
    else if (!this.#watch.block()) this.poll()
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
/** SIGCHLDs that are answered at once. */
const checksOfTurn = 64
/** Changes that a search takes before it asks each tracee. */
const mostFound = 64
/** Pace of looking for changes while another tracer's stop hides them from a blocking search. */
const pacedMs = 1

/** All the watched children of one System. */
class ChildWatch {
  readonly #system: System
  /** Children that are each asked. */
  readonly #children = new Set<WatchedChild>()
  /** Tracees that a search finds. */
  readonly #tracees = new Map<number, WatchedChild>()
  /** The tracees whose listeners also hear of a SIGCHLD without a change. */
  readonly #leaders = new Set<WatchedChild>()
  readonly #strangers = new Set<StrangerListener>()
  #keepingAlive = 0
  #keepAlive: (() => void) | undefined
  #isQuietDue = false
  // Of SIGCHLD, since the event loop was seen to have made a turn.
  #checks = 0
  #isTurnDue = false
  #isCheckDue = false

  constructor(system: System) {
    this.#system = system
    // Never removed: starting and stopping the signal watcher costs more than an idle listener.
    system.onChildChange(() => this.#onSigchld(), { keepAlive: false })
  }

  add(child: WatchedChild): void {
    this.#children.add(child)
    if (child.keepsAlive) this.count(1)
  }

  /** Moves a child to where its kind is looked for. */
  sort(child: WatchedChild): void {
    if (child.isFound) {
      this.#children.delete(child)
      this.#tracees.set(child.pid, child)
      if (child.listener.quiet !== undefined) this.#leaders.add(child)
    } else {
      this.#tracees.delete(child.pid)
      this.#leaders.delete(child)
      this.#children.add(child)
    }
  }

  remove(child: WatchedChild): void {
    this.#children.delete(child)
    this.#leaders.delete(child)
    if (this.#tracees.get(child.pid) === child) {
      this.#tracees.delete(child.pid)
      // A stranger that it has left behind raises no further SIGCHLD.
      if (this.#tracees.size === 0 && this.#strangers.size > 0) queueMicrotask(() => this.#checkTracees())
    }
    if (child.keepsAlive) this.count(-1)
  }

  isOnlyTracee(child: WatchedChild): boolean {
    return this.#tracees.size === 1 && this.#tracees.has(child.pid)
  }

  /** Counts the children that keep the event loop alive. */
  count(change: 1 | -1): void {
    this.#keepingAlive += change
    if (this.#keepingAlive > 0) {
      this.#keepAlive ??= this.#system.onChildChange(() => {}, { keepAlive: true })
    } else {
      this.#keepAlive?.()
      this.#keepAlive = undefined
    }
  }

  onStranger(listener: StrangerListener): () => void {
    this.#strangers.add(listener)
    return () => this.#strangers.delete(listener)
  }

  /** Blocks until some tracee of this thread has changed, and takes what there is; false without tracees. */
  block(): boolean {
    for (;;) {
      try {
        this.#system.waitid(P_ALL, 0, anyTracee)
        break
      } catch (error) {
        if (isErrno(error, 'ECHILD')) return false
        if (!isErrno(error, 'EINTR')) throw error
      }
    }
    // A stop that belongs to other code stays: the blocking call would return at once, forever.
    if (!this.#search() && !this.#sweep(this.#tracees.values())) pause(this.#system, pacedMs)
    return true
  }

  /**
   * The event loop hands over all SIGCHLDs that there are before anything else. Busy tracees send new ones meanwhile,
   * and would keep it from its timers and descriptors for good: after many the rest waits for a turn of the loop.
   */
  #onSigchld(): void {
    if (this.#system.kind === 'native' && ++this.#checks > checksOfTurn / 2) {
      if (!this.#isTurnDue) {
        this.#isTurnDue = true
        void this.#system.sleep(0).then(() => {
          this.#isTurnDue = false
          const isBehind = this.#checks > checksOfTurn
          this.#checks = 0
          if (isBehind) this.check()
        })
      }
      if (this.#checks > checksOfTurn) return
    }
    this.check()
  }

  check(): void {
    const quiet: WatchedChild[] = []
    // A listener may add children to the set: polling them too does no harm.
    for (const child of this.#children) if (!child.check()) quiet.push(child)
    this.#checkTracees()
    if (quiet.length <= fewChildren) tellQuiet(quiet)
    else if (!this.#isQuietDue) this.#tellAllSoon()
  }

  #checkTracees(): void {
    if (this.#tracees.size === 0 && this.#strangers.size === 0) return
    const isAlone = this.#tracees.size === 1
    let took = isAlone && this.#sweep(this.#tracees.values())
    // Strangers are newborns whose creator was killed before it announced them.
    if (!isAlone || (!took && this.#strangers.size > 0)) took = this.#search()
    if (!took) tellQuiet([...this.#leaders])
  }

  /** Asks each; whether there was a change. */
  #sweep(children: Iterable<WatchedChild>): boolean {
    let took = false
    for (const child of [...children]) if (!child.ended && child.check()) took = true
    return took
  }

  /** Takes the changes of tracees that waitid finds; whether there was one. */
  #search(): boolean {
    let took = false
    // A listener that resumes its tracee at once could go on forever: the rest is for the next turn.
    for (let left = mostFound; left > 0; left--) {
      const found = this.#changedTracee()
      if (found === null) return took
      const { pid: tid, status } = found
      const child = this.#tracees.get(tid)
      if (status.kind === 'exited' && status.code === 0) child?.listener.ending?.()
      if (child === undefined ? !this.#isTaken(tid) : !child.check()) {
        // It hides what is behind it.
        return this.#sweep(this.#tracees.values()) || took
      }
      took = true
    }
    // The kernel lists the youngest first: tracees that come and go would keep the others from being found.
    this.#sweep(this.#tracees.values())
    this.#checkSoon()
    return took
  }

  #isTaken(tid: number): boolean {
    for (const listener of [...this.#strangers]) if (listener(tid)) return true
    return false
  }

  #changedTracee(): WaitidResult | null {
    for (;;) {
      try {
        return this.#system.waitid(P_ALL, 0, anyTracee | WNOHANG)
      } catch (error) {
        if (isErrno(error, 'ECHILD')) return null
        if (!isErrno(error, 'EINTR')) throw error
      }
    }
  }

  #checkSoon(): void {
    if (this.#isCheckDue) return
    this.#isCheckDue = true
    void this.#system.sleep(0).then(() => {
      this.#isCheckDue = false
      this.check()
    })
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

/** Takes every change of every watched child. */
export function takeChanges(system: System): void {
  watchOf(system).check()
}

/** Calls the listener for each traced task with a change that nothing waits for; returns the function that ends it. */
export function onStranger(system: System, listener: StrangerListener): () => void {
  return watchOf(system).onStranger(listener)
}

function watchOf(system: System): ChildWatch {
  let watch = watches.get(system)
  if (watch === undefined) {
    watch = new ChildWatch(system)
    watches.set(system, watch)
  }
  return watch
}
