/** The traced tasks of one System: which task has which number, and newborns whose creator's event is still to come. */

import { constants } from '../../../system/constants.ts'
import { isErrno } from '../../../system/errors.ts'
import { keptFor, privateCallsOf } from '../../../system/private-calls.ts'
import type { System, WaitidResult } from '../../../system/system.ts'
import { isExit, type WaitStatus } from '../../../system/wait-status.ts'
import { onStranger, pacedMs, watchOf } from '../../children/child-watch.ts'
import { type Change, takeChange } from '../../children/watched-child.ts'
import type { Tracing } from '../tasks/options.ts'
import { isBirthSignal, isThreadOf, tracingOf } from './births.ts'

const { WNOHANG } = constants

/** A process whose births are followed. */
export interface Creator {
  readonly pid: number
  readonly hasEnded: boolean
  /** A child that was never announced: its creator ended before its event was taken. */
  adopt(pid: number): void
  /** Whether its forks are announced, too: it follows its children, or has breakpoints. */
  readonly announcesForks: boolean
  /** Whether it may have been killed at an event that was not taken, and so have left an unannounced child. */
  readonly mayLeaveChildren: boolean
  readonly tracing: Tracing | null
  /** Tells its memory and the copies of it from others; 0 where it is not known. */
  readonly memoryMark: number
  /** Its threads, by tid. */
  readonly tasks: ReadonlyMap<number, { readonly isStopped: boolean; readonly hasEnded: boolean }>
}

/** How many processes that may have left a child are remembered after their ends. */
const mostEnded = 16

export class Following {
  readonly #system: System
  readonly #processes = new Map<number, Creator>()
  /** First stops of newborns, and ends, that came before their creator's event. */
  readonly #early = new Map<number, { readonly result: Change; readonly creator: Creator | undefined }>()
  // The latest processes that have ended and may have left a child, which may stop at any later time.
  readonly #ended: Creator[] = []
  // Set while there may be newborns.
  #stopListening: (() => void) | undefined

  constructor(system: System) {
    this.#system = system
  }

  add(process: Creator): void {
    this.#processes.set(process.pid, process)
    // Without taskOf a newborn looks like a tracee of other code.
    if (privateCallsOf(this.#system)?.taskOf === undefined) return
    this.#stopListening ??= onStranger(this.#system, change => this.#isNewborn(change))
  }

  /** A process has ended, or was detached. */
  remove(process: Creator): void {
    if (this.#processes.get(process.pid) !== process) return
    this.#processes.delete(process.pid)
    if (process.hasEnded && process.mayLeaveChildren) {
      this.#ended.unshift(process)
      if (this.#ended.length > mostEnded) this.#ended.pop()
    }
    this.adoptEarly(process)
    if (this.#processes.size > 0 || this.#early.size > 0 || this.#ended.length > 0) return
    this.#stopListening?.()
    this.#stopListening = undefined
  }

  /** Adopts a process's newborns, once every thread that could announce them is gone. */
  adoptEarly(process: Creator): void {
    for (const [tid, { result, creator }] of [...this.#early]) {
      if (creator !== process) continue
      // A newborn that has ended as well needs no parent.
      if (isExit(result.status)) this.#early.delete(tid)
      else process.adopt(tid)
    }
  }

  /** The first stop of a newborn, or its end, if it came before its creator's event. */
  takeEarly(tid: number): Change | undefined {
    const early = this.#early.get(tid)
    this.#early.delete(tid)
    return early?.result
  }

  /** Takes the change of a newborn that no event has announced yet; false for a task of other code. */
  #isNewborn({ pid: tid, status: pending }: WaitidResult): boolean {
    const creator = this.#creatorOf(tid, pending)
    if (creator === undefined) return false
    let result: Change | null
    try {
      result = takeChange(this.#system, tid, WNOHANG)
    } catch (error) {
      if (isErrno(error, 'ECHILD', 'EINTR')) return false
      throw error
    }
    if (result === null) return false
    const { status } = result
    if (status.kind === 'stopped' && status.event === 'exit') this.#goOn(tid)
    else {
      this.#early.set(tid, { result, creator })
      if (creator.hasEnded) this.adoptEarly(creator)
    }
    return true
  }

  /** Resumes a newborn that was killed from its exit event: its process cannot end before it. */
  #goOn(tid: number): void {
    try {
      this.#system.ptraceCont(tid)
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error
    }
  }

  /** The process that a thread belongs to. */
  #ownerOf(tid: number): Creator | undefined {
    for (const process of this.#processes.values()) if (isThreadOf(this.#system, process.pid, tid)) return process
    return undefined
  }

  #creatorOf(tid: number, pending: WaitStatus): Creator | undefined {
    const known = this.#early.get(tid)
    if (known !== undefined) return known.creator
    const calls = privateCallsOf(this.#system)
    if (calls === undefined || calls.isOfUser?.(tid) === true) return undefined
    const owner = this.#ownerOf(tid)
    if (owner !== undefined) return owner
    const task = calls.taskOf?.(tid)
    if (task === undefined) return undefined
    const parent = this.#processes.get(task.parent)
    if (parent !== undefined) return parent
    // A child that other code of this process has forked and traces looks like a newborn whose creator is dead.
    if (task.parent === process.pid && !this.#isAtBirth(tid, pending)) return undefined
    const candidates = [...this.#dying(), ...this.#ended]
    const sure = candidates.find(({ memoryMark }) => memoryMark !== 0 && memoryMark === task.memoryMark)
    // CLONE_PARENT gives a newborn the parent of its creator, whose event may be still to come.
    if (this.#mayBeAnnounced(task.parent, sure?.memoryMark)) {
      // If no event comes, no signal says so.
      watchOf(this.#system).checkAfter(pacedMs)
      return undefined
    }
    // The creator is dead, and the kernel has given the newborn another parent: a parent that is traced belongs to
    // other code, and so does the child.
    const isOfOther = calls.isOfUser?.(task.parent) === true || (calls.taskOf?.(task.parent)?.tracer ?? 0) !== 0
    return isOfOther ? undefined : (sure ?? likeliest(candidates, tracingOf(pending)))
  }

  /** Whether a living process with this parent, and this memory if it is known, may be about to announce a newborn. */
  #mayBeAnnounced(parent: number, memoryMark: number | undefined): boolean {
    const calls = privateCallsOf(this.#system)
    for (const each of this.#processes.values()) {
      if (memoryMark !== undefined && each.memoryMark !== memoryMark) continue
      if (!each.hasEnded && calls?.taskOf?.(each.pid)?.parent === parent && this.#mayBeAtEvent(each)) return true
    }
    return false
  }

  /** Whether a thread of it runs, maybe on its way to an event, or is at a stop that was not taken. */
  #mayBeAtEvent({ tasks }: Creator): boolean {
    const calls = privateCallsOf(this.#system)
    for (const [tid, { isStopped, hasEnded }] of tasks) {
      if (!isStopped && !hasEnded && 'Rt'.includes(calls?.taskOf?.(tid)?.state ?? 'X')) return true
    }
    return false
  }

  #isAtBirth(tid: number, pending: WaitStatus): boolean {
    if (pending.kind !== 'stopped') return false
    return pending.event === 'stop' || isBirthSignal(this.#system, tid, pending)
  }

  /**
   * The processes that are ending, or have ended and are not reaped yet. The kernel gives a child another parent when
   * the last thread begins to end: the main one may not be a zombie by then.
   */
  #dying(): Creator[] {
    const calls = privateCallsOf(this.#system)
    return [...this.#processes.values()].filter(
      ({ pid }) => calls?.isEndingOrExecing?.(pid) !== false && calls?.isExecing?.(pid) !== true,
    )
  }
}

/** Of these processes, the first that had its forks announced and was traced as a newborn is; else the first at all. */
function likeliest(processes: readonly Creator[], tracing: Tracing): Creator | undefined {
  const announcing = processes.filter(({ announcesForks }) => announcesForks)
  return announcing.find(process => process.tracing === tracing) ?? announcing[0] ?? processes[0]
}

const following = Symbol('following')

export function followingOf(system: System): Following {
  const kept: { [following]?: Following } = keptFor(system)
  kept[following] ??= new Following(system)
  return kept[following]
}
