/**
 * Waits for launched children and traced threads at each SIGCHLD. Other children of this process are never reaped.
 *
 * An ordinary child is polled by waitpid(2). Among tracees, a search finds those that have changed.
 */

import { keptFor, privateCallsOf } from '../../system/private-calls.ts'
import type { System, WaitidResult } from '../../system/system.ts'
import { pause } from '../base/pause.ts'
import { removeFrom } from '../base/remove-from.ts'
import { type SearchedFor, TraceeSearch } from './tracee-search.ts'

/** What the watch needs of a child. */
interface Watched extends SearchedFor {
  /** Whether the child keeps the event loop alive. */
  readonly keepsAlive: boolean
  /** Whether it is a tracee of this thread, whose changes a search among all tracees finds. */
  readonly isFoundBySearch: boolean
}

/** Receives the pending change of a traced task that nothing waits for; whether it was taken. */
export type StrangerListener = (change: WaitidResult) => boolean

/** Up to this count, quiet children are notified at once. */
const fewChildren = 8
/** Delay for more children: SIGCHLD is then so frequent that notifying every child each time would dominate. */
const quietMs = 20
/** Interval of polling for what no signal reports, or what another tracer's stop hides from a blocking search. */
export const pacedMs = 1

/** All the watched children of one System. */
export class ChildWatch {
  readonly #system: System
  /** Children that are polled one by one. An array: adding to a Set and removing from it costs each launch more. */
  readonly #children: Watched[] = []
  /** Tracees that a search finds. */
  readonly #tracees: TraceeSearch
  readonly #strangerListeners = new Set<StrangerListener>()
  readonly #keepAlive: (isAlive: boolean) => void
  #keepingAlive = 0
  #isQuietDue = false
  #isCheckDue = false

  constructor(system: System) {
    this.#system = system
    this.#tracees = new TraceeSearch(system, change => this.#isTaken(change))
    const calls = privateCallsOf(system)
    this.#keepAlive = calls?.keepAlive ?? keepingAliveBySubscription(system)
    calls?.refuseToAttach(pid => this.find(pid) !== undefined)
    // Never removed: starting and stopping the signal watcher costs more than an idle listener.
    system.onChildChange(() => void this.check(true), { keepAlive: false })
  }

  add(child: Watched): void {
    if (child.isFoundBySearch) this.regroup(child)
    else this.#children.push(child)
    if (child.keepsAlive) this.count(1)
  }

  /** Moves a child to the polled children or to the tracees, as its isFoundBySearch now says. */
  regroup(child: Watched): void {
    if (child.isFoundBySearch) {
      removeFrom(this.#children, child)
      this.#tracees.add(child)
    } else {
      this.#tracees.remove(child)
      this.#children.push(child)
    }
  }

  remove(child: Watched): void {
    removeFrom(this.#children, child)
    // A newborn that this child has left behind raises no further SIGCHLD.
    if (this.#tracees.remove(child) && this.#tracees.count === 0 && this.#strangerListeners.size > 0) {
      queueMicrotask(() => this.#checkTracees(false, true))
    }
    if (child.keepsAlive) this.count(-1)
  }

  /** Whether a search is under way, which also covers the tracees that are added meanwhile. */
  get isSearching(): boolean {
    return this.#tracees.isUnderWay
  }

  get hasManyTracees(): boolean {
    return this.#tracees.isAmongMany
  }

  isOnlyTracee(child: Watched): boolean {
    return this.#tracees.count === 1 && this.#tracees.find(child.pid) === child
  }

  /** Counts the children that keep the event loop alive. */
  count(change: 1 | -1): void {
    const wasAlive = this.#keepingAlive > 0
    this.#keepingAlive += change
    const isAlive = this.#keepingAlive > 0
    if (isAlive !== wasAlive) this.#keepAlive(isAlive)
  }

  /** The child or tracee of this number that is waited for. */
  find(pid: number): SearchedFor | undefined {
    return this.#tracees.find(pid) ?? this.#children.find(child => child.pid === pid)
  }

  onStranger(listener: StrangerListener): () => void {
    this.#strangerListeners.add(listener)
    return () => this.#strangerListeners.delete(listener)
  }

  /** Blocks until some tracee of this thread has changed, and takes what there is; false without tracees. */
  block(): boolean {
    if (this.#tracees.block() === 'none') return false
    // A stop that other code is to take stays pending: the blocking call would return at once, forever. A sandbox may
    // refuse that call.
    if (!this.#search() && !this.#tracees.sweep()) pause(this.#system, pacedMs)
    return true
  }

  /**
   * Takes every change; whether there was one. `fromEventLoop`: the caller returns to the event loop, where stopped
   * tracees are resumed before the next check.
   */
  check(fromEventLoop = false): boolean {
    // Read first: a process that is followed from this check on has just exec'ed, or raises a SIGCHLD. It has left no
    // stranger yet.
    const mayHaveStrangers = this.#strangerListeners.size > 0
    const quiet: Watched[] = []
    let took = false
    // A listener may remove children from the array.
    for (const child of [...this.#children]) {
      if (child.check()) took = true
      else quiet.push(child)
    }
    if (this.#checkTracees(fromEventLoop, mayHaveStrangers)) took = true
    if (quiet.length <= fewChildren) notifyQuiet(quiet)
    else if (!this.#isQuietDue) this.#notifyAllSoon()
    return took
  }

  #checkTracees(fromEventLoop: boolean, mayHaveStrangers: boolean): boolean {
    if (this.#tracees.count === 0 && !mayHaveStrangers) return false
    const isAlone = this.#tracees.count === 1
    let took = isAlone && this.#tracees.sweep()
    // Strangers are newborns whose creator was killed before it announced them.
    if (!isAlone || (!took && mayHaveStrangers)) took = this.#search(fromEventLoop)
    // With several tracees, the SIGCHLD may have been for one without a change.
    if (!took || !isAlone) this.#tracees.notifyQuiet()
    return took
  }

  /** Takes the changes of tracees; whether there was one. */
  #search(fromEventLoop = false): boolean {
    const found = this.#tracees.search(fromEventLoop)
    if (found === 'some') this.checkAfter(0)
    return found !== 'none'
  }

  #isTaken(change: WaitidResult): boolean {
    // A search sees a child that is being handed off as well. Its stop is for the hand-off, which would wait forever.
    const child = this.#children.find(({ pid }) => pid === change.pid)
    if (child !== undefined) return child.check()
    for (const listener of [...this.#strangerListeners]) if (listener(change)) return true
    return false
  }

  /** Checks once more, even if no signal comes. */
  checkAfter(ms: number): void {
    if (this.#isCheckDue) return
    this.#isCheckDue = true
    void this.#system.sleep(ms).then(() => {
      this.#isCheckDue = false
      this.check()
    })
  }

  /** Notifies all children once after a delay. One notification covers every SIGCHLD until then. */
  #notifyAllSoon(): void {
    this.#isQuietDue = true
    void this.#system.sleep(quietMs).then(() => {
      this.#isQuietDue = false
      notifyQuiet([...this.#children])
    })
  }
}

function keepingAliveBySubscription(system: System): (isAlive: boolean) => void {
  let end: () => void
  return isAlive => {
    if (isAlive) end = system.onChildChange(() => {}, { keepAlive: true })
    else end()
  }
}

function notifyQuiet(children: Iterable<Watched>): void {
  for (const child of children) child.listener.quiet?.()
}

const watch = Symbol('child watch')

/** Begins to watch children. Must run before a fork: a change that precedes the watch raises no event. */
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
