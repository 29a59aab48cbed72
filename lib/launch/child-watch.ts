/**
 * Waits for launched children and traced threads at each SIGCHLD. Other children of this process are never reaped.
 *
 * An ordinary child is polled by waitpid(2). Among tracees, waitid(2) finds those that have changed, without taking the
 * change (WNOWAIT): with __WCLONE it sees this thread's tracees and no ordinary children, so that a zombie of other
 * code does not hide them. Each change is then taken by its task's own number.
 */

import { constants } from '../system/constants.ts'
import { isErrno } from '../system/errors.ts'
import { keptFor } from '../system/private-calls.ts'
import type { System, WaitidResult } from '../system/system.ts'
import { pause } from './pause.ts'

const { P_ALL, WEXITED, WNOHANG, WNOWAIT, __WCLONE, __WNOTHREAD } = constants

const anyTracee = WEXITED | WNOWAIT | __WCLONE | __WNOTHREAD

/** What the watch needs of a child. */
interface Watched {
  readonly pid: number
  readonly ended: boolean
  /** Whether the child keeps the event loop alive. */
  readonly keepsAlive: boolean
  /** Whether it is a tracee of this thread, whose changes a search among all tracees finds. */
  readonly isFound: boolean
  readonly listener: {
    /** A SIGCHLD came, but this child had no change to take. */
    quiet?: (() => void) | undefined
    /** A thread has ended with code 0 and is about to be reaped. */
    ending?(): void
  }
  /** Takes every pending change; whether there was one. */
  check(): boolean
}

/** Receives the pending change of a traced task that nothing waits for; whether it was taken. */
export type StrangerListener = (change: WaitidResult) => boolean

/** Up to this count, quiet children are notified at once. */
const fewChildren = 8
/** Delay for more children: SIGCHLD is then so frequent that notifying every child each time would dominate. */
const quietMs = 20
/** Above this count, a search that finds nothing takes longer than a turn of the event loop. */
const manyTracees = 32
/** The most changes that a search takes before every tracee is polled. */
const mostFound = 64
/** The interval of polling while another tracer's stop hides the changes from a blocking search. */
const pacedMs = 1

/** All the watched children of one System. */
export class ChildWatch {
  readonly #system: System
  /** Children that are polled one by one. */
  readonly #children = new Set<Watched>()
  /** Tracees that a search finds. */
  readonly #tracees = new Map<number, Watched>()
  /** The tracees whose listeners also hear of a SIGCHLD without a change. */
  readonly #leaders = new Set<Watched>()
  readonly #strangers = new Set<StrangerListener>()
  #keepingAlive = 0
  #keepAlive: (() => void) | undefined
  #isQuietDue = false
  #isCheckDue = false

  constructor(system: System) {
    this.#system = system
    // Never removed: starting and stopping the signal watcher costs more than an idle listener.
    system.onChildChange(() => void this.check(), { keepAlive: false })
  }

  add(child: Watched): void {
    this.#children.add(child)
    if (child.keepsAlive) this.count(1)
  }

  /** Moves a child to the set of its kind. */
  sort(child: Watched): void {
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

  remove(child: Watched): void {
    this.#children.delete(child)
    this.#leaders.delete(child)
    if (this.#tracees.get(child.pid) === child) {
      this.#tracees.delete(child.pid)
      // A newborn that it has left behind raises no further SIGCHLD.
      if (this.#tracees.size === 0 && this.#strangers.size > 0) queueMicrotask(() => this.#checkTracees(true))
    }
    if (child.keepsAlive) this.count(-1)
  }

  get hasManyTracees(): boolean {
    return this.#tracees.size > manyTracees
  }

  isOnlyTracee(child: Watched): boolean {
    return this.#tracees.size === 1 && this.#tracees.has(child.pid)
  }

  /** Counts the children that keep the event loop alive. */
  count(change: 1 | -1): void {
    this.#keepingAlive += change
    if (this.#keepingAlive > 0) {
      this.#keepAlive ??= this.#system.onChildChange(nothing, keepingAlive)
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
        // A sandbox may refuse waitid: then each tracee is polled.
        if (!isErrno(error, 'EINTR')) break
      }
    }
    // A stop that other code is to take stays pending: the blocking call would return at once, forever.
    if (!this.#search() && !this.#sweep(this.#tracees.values())) pause(this.#system, pacedMs)
    return true
  }

  /** Takes every change; whether there was one. */
  check(): boolean {
    // One that a listener adds has left nothing behind yet: its process has just exec'ed, or raises a SIGCHLD.
    const hadStrangers = this.#strangers.size > 0
    const quiet: Watched[] = []
    let took = false
    // A listener may add children to the set: polling them too does no harm.
    for (const child of this.#children) {
      if (child.check()) took = true
      else quiet.push(child)
    }
    if (this.#checkTracees(hadStrangers)) took = true
    if (quiet.length <= fewChildren) tellQuiet(quiet)
    else if (!this.#isQuietDue) this.#tellAllSoon()
    return took
  }

  #checkTracees(hasStrangers: boolean): boolean {
    if (this.#tracees.size === 0 && !hasStrangers) return false
    const isAlone = this.#tracees.size === 1
    let took = isAlone && this.#sweep(this.#tracees.values())
    // Strangers are newborns whose creator was killed before it announced them.
    if (!isAlone || (!took && hasStrangers)) took = this.#search()
    // With several tracees, the SIGCHLD may have been for one without a change.
    if (!took || !isAlone) tellQuiet([...this.#leaders])
    return took
  }

  /** Polls each; whether there was a change. */
  #sweep(children: Iterable<Watched>): boolean {
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
      if (found === 'refused') return this.#sweep(this.#tracees.values()) || took
      const { pid: tid, status } = found
      const child = this.#tracees.get(tid)
      if (status.kind === 'exited' && status.code === 0) child?.listener.ending?.()
      if (child === undefined ? !this.#isTaken(found) : !child.check()) {
        // Its change stays pending, and hides those behind it.
        return this.#sweep(this.#tracees.values()) || took
      }
      took = true
    }
    // The kernel lists the youngest first: tracees that come and go would keep the others from being found.
    this.#sweep(this.#tracees.values())
    this.#checkSoon()
    return took
  }

  #isTaken(change: WaitidResult): boolean {
    for (const listener of [...this.#strangers]) if (listener(change)) return true
    return false
  }

  #changedTracee(): WaitidResult | 'refused' | null {
    for (;;) {
      try {
        return this.#system.waitid(P_ALL, 0, anyTracee | WNOHANG)
      } catch (error) {
        if (isErrno(error, 'ECHILD')) return null
        if (!isErrno(error, 'EINTR')) return 'refused'
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

// Made once: the last child's end takes the subscription back, and the next child's start makes it again.
const nothing = () => {}
const keepingAlive = { keepAlive: true }

function tellQuiet(children: Iterable<Watched>): void {
  for (const child of children) child.listener.quiet?.()
}

const watch = Symbol('child watch')

/** Must run before a fork: a change that precedes the watch raises no event. */
export function watchChildren(system: System): void {
  watchOf(system)
}

/** Takes every change of every watched child; whether there was one. */
export function takeChanges(system: System): boolean {
  return watchOf(system).check()
}

/** Calls the listener for each traced task with a change that nothing waits for; returns the function that ends it. */
export function onStranger(system: System, listener: StrangerListener): () => void {
  return watchOf(system).onStranger(listener)
}

export function watchOf(system: System): ChildWatch {
  const kept: { [watch]?: ChildWatch } = keptFor(system)
  kept[watch] ??= new ChildWatch(system)
  return kept[watch]
}
