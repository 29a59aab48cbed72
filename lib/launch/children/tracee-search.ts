/**
 * Finds those of this thread's tracees that have changed, and takes each change by its task's own number.
 *
 * waitid(2) finds them without taking the change (WNOWAIT). With __WCLONE it sees this thread's tracees and no ordinary
 * children, so that a zombie of other code does not hide them.
 */

import { constants } from '../../system/constants.ts'
import { isErrno } from '../../system/errors.ts'
import { privateCallsOf } from '../../system/private-calls.ts'
import type { System, WaitidResult } from '../../system/system.ts'
import { removeFrom } from '../base/remove-from.ts'

const { P_ALL, WEXITED, WNOHANG, WNOWAIT, __WCLONE, __WNOTHREAD } = constants

const anyTracee = WEXITED | WNOWAIT | __WCLONE | __WNOTHREAD

/** What the watch and its search call on a child's listener, besides its changes. */
export interface WatchListener {
  /** The ChildLife that it is for. */
  readonly life?: unknown
  /** A SIGCHLD came, but this child had no change to take. */
  quiet?: (() => void) | undefined
  /** A thread has ended with code 0 and is about to be reaped. */
  ending?(): void
}

/** What a search needs of a tracee. */
export interface SearchedFor {
  readonly pid: number
  readonly ended: boolean
  readonly listener: WatchListener
  /** Takes every pending change; whether there was one. */
  check(): boolean
}

/** Above this count, a search that finds nothing takes longer than a turn of the event loop. */
const manyTracees = 32
/** Changes that a search takes before it asks each tracee. */
const mostFound = 64
/** How many searches after a birth ask the newborn and the leaders first, and up to how many leaders. */
const searchesOfGrowth = 8
const fewLeaders = 8

export class TraceeSearch {
  readonly #system: System
  /** Takes a change of a task that is not among the tracees; whether it did. */
  readonly #takeStranger: (change: WaitidResult) => boolean
  readonly #tracees = new Map<number, SearchedFor>()
  /** The tracees whose listeners also hear of a SIGCHLD without a change: main threads. */
  readonly #leaders: SearchedFor[] = []
  // How many of the next searches ask the newborn and the leaders first.
  #growth = 0
  // The tracee that was added last, until its first change.
  #newest: SearchedFor | undefined
  // Whether the last look took a leader's change. Leaders are not asked twice in a row: they have hardly run since.
  #hasLeaderAnswered = false
  #isUnderWay = false

  constructor(system: System, takeStranger: (change: WaitidResult) => boolean) {
    this.#system = system
    this.#takeStranger = takeStranger
  }

  add(tracee: SearchedFor): void {
    this.#tracees.set(tracee.pid, tracee)
    this.#growth = searchesOfGrowth
    this.#newest = tracee
    if (tracee.listener.quiet !== undefined) this.#leaders.push(tracee)
  }

  /** Whether it was among the tracees. */
  remove(tracee: SearchedFor): boolean {
    if (tracee.listener.quiet !== undefined) removeFrom(this.#leaders, tracee)
    if (this.#newest === tracee) this.#newest = undefined
    return this.#tracees.get(tracee.pid) === tracee && this.#tracees.delete(tracee.pid)
  }

  get count(): number {
    return this.#tracees.size
  }

  get isAmongMany(): boolean {
    return this.#tracees.size > manyTracees
  }

  find(pid: number): SearchedFor | undefined {
    return this.#tracees.get(pid)
  }

  /** Whether a search is under way, which also covers the tracees that are added meanwhile. */
  get isUnderWay(): boolean {
    return this.#isUnderWay
  }

  /** Waits until some tracee has changed: 'none' without tracees, 'refused' by a sandbox. */
  block(): 'changed' | 'none' | 'refused' {
    for (;;) {
      try {
        this.#system.waitid(P_ALL, 0, anyTracee)
        return 'changed'
      } catch (error) {
        if (isErrno(error, 'ECHILD')) return 'none'
        if (!isErrno(error, 'EINTR')) return 'refused'
      }
    }
  }

  notifyQuiet(): void {
    for (const leader of [...this.#leaders]) leader.listener.quiet?.()
  }

  /** Asks each; whether there was a change. */
  sweep(tracees: Iterable<SearchedFor> = this.#tracees.values()): boolean {
    let took = false
    for (const tracee of [...tracees]) if (!tracee.ended && tracee.check()) took = true
    return took
  }

  /**
   * Takes the pending changes; 'some': more may be left for the next turn. `fromEventLoop`: the caller returns to the
   * event loop, where stopped tracees are resumed before the next search.
   */
  search(fromEventLoop: boolean): 'none' | 'all' | 'some' {
    let took: 'none' | 'all' = 'none'
    // A listener that resumes its tracee at once could go on forever: the rest is for the next turn.
    for (let left = mostFound; left > 0; left--) {
      // A waitid() that finds nothing goes through all tracees. Those that have stopped should run meanwhile.
      if (took === 'all' && fromEventLoop && this.isAmongMany && this.#lookAgain()) return 'all'
      if (this.#within(() => this.#askFamily())) {
        took = 'all'
        continue
      }
      const found = this.#changed()
      if (found === null) return took
      if (found === 'refused') return this.sweep() ? 'all' : took
      const { pid: tid, status } = found
      const tracee = this.#tracees.get(tid)
      if (status.kind === 'exited' && status.code === 0) tracee?.listener.ending?.()
      if (tracee === undefined ? !this.#takeStranger(found) : !this.#within(() => tracee.check())) {
        // A change that was not taken hides those behind it.
        return this.sweep() ? 'all' : took
      }
      took = 'all'
    }
    // The kernel lists the youngest first: tracees that come and go would keep the others from being found.
    this.sweep()
    return 'some'
  }

  #lookAgain(): boolean {
    return privateCallsOf(this.#system)?.lookAgain?.() === true
  }

  #within(take: () => boolean): boolean {
    this.#isUnderWay = true
    const took = take()
    this.#isUnderWay = false
    return took
  }

  /** While many are born, asks the newest, then the leaders, which the kernel lists last; whether one had changed. */
  #askFamily(): boolean {
    if (this.#growth === 0 || !this.isAmongMany || this.#leaders.length > fewLeaders) return false
    this.#growth--
    const newest = this.#newest
    if (newest?.check() === true) {
      this.#newest = undefined
      this.#hasLeaderAnswered = false
      return true
    }
    this.#hasLeaderAnswered = !this.#hasLeaderAnswered && this.sweep(this.#leaders)
    return this.#hasLeaderAnswered
  }

  #changed(): WaitidResult | 'refused' | null {
    const look = privateCallsOf(this.#system)?.lookAtAll
    if (look !== undefined) return look(anyTracee | WNOHANG)
    try {
      return this.#system.waitid(P_ALL, 0, anyTracee | WNOHANG)
    } catch (error) {
      return isErrno(error, 'ECHILD') ? null : 'refused'
    }
  }
}
