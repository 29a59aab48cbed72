/** The traced tasks of one System: which task has which number, and newborns whose creator's event is still to come. */

import { constants } from '../../system/constants.ts'
import { isErrno } from '../../system/errors.ts'
import { privateCallsOf } from '../../system/private-calls.ts'
import type { System, WaitResult } from '../../system/system.ts'
import { isExit } from '../../system/wait-status.ts'
import { onStranger } from '../child-watch.ts'
import { isThreadOf } from './births.ts'

const { WNOHANG, __WALL } = constants

/** A process whose births are followed. */
export interface Creator {
  readonly pid: number
  readonly hasEnded: boolean
  /** A child that was never announced: its creator was killed before its event was taken. */
  adopt(pid: number): void
  readonly followsChildren: boolean
}

export class Following {
  readonly #system: System
  readonly #processes = new Map<number, Creator>()
  /** First stops of newborns that came before their creator's event. */
  readonly #early = new Map<number, { readonly result: WaitResult; readonly creator: Creator | undefined }>()
  // The latest process that ended by a signal: the creator of a child that no living process claims.
  #lastKilled: Creator | undefined
  #stop: (() => void) | undefined

  constructor(system: System) {
    this.#system = system
  }

  add(process: Creator): void {
    this.#processes.set(process.pid, process)
    // Without it a newborn looks like a tracee of other code.
    if (privateCallsOf(this.#system)?.taskOf === undefined) return
    this.#stop ??= onStranger(this.#system, tid => this.#isNewborn(tid))
  }

  remove(process: Creator, wasKilled: boolean): void {
    if (this.#processes.get(process.pid) === process) this.#processes.delete(process.pid)
    if (wasKilled && process.followsChildren) this.#lastKilled = process
    for (const [tid, { result, creator }] of [...this.#early]) {
      if (creator !== process) continue
      if (isExit(result.status)) this.#early.delete(tid)
      else if (wasKilled && process.followsChildren) process.adopt(tid)
    }
    if (this.#processes.size === 0 && this.#early.size === 0) {
      this.#stop?.()
      this.#stop = undefined
    }
  }

  /** The first stop of a newborn, if it came before its creator's event. */
  takeEarly(tid: number): WaitResult | undefined {
    const early = this.#early.get(tid)
    this.#early.delete(tid)
    return early?.result
  }

  /** Takes the change of a newborn that no event has announced yet; false for a task of other code. */
  #isNewborn(tid: number): boolean {
    const creator = this.#creatorOf(tid)
    if (creator === undefined) return false
    let result: WaitResult | null
    try {
      result = this.#system.waitpid(tid, __WALL | WNOHANG)
    } catch (error) {
      if (isErrno(error, 'ECHILD', 'EINTR')) return false
      throw error
    }
    if (result === null) return false
    // Killed before its creator's event was taken: nothing is left of it to announce.
    if (isExit(result.status)) this.#early.delete(tid)
    else this.#early.set(tid, { result, creator })
    if (creator.hasEnded && !isExit(result.status)) creator.adopt(tid)
    return true
  }

  /** The process that a thread belongs to. */
  #ownerOf(tid: number): Creator | undefined {
    for (const process of this.#processes.values()) if (isThreadOf(this.#system, process.pid, tid)) return process
    return undefined
  }

  #creatorOf(tid: number): Creator | undefined {
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
    // The creator is dead, and the child has another parent by now.
    return calls.isOfUser?.(task.parent) === true ? undefined : this.#lastKilled
  }
}

const all = new WeakMap<System, Following>()

export function followingOf(system: System): Following {
  let following = all.get(system)
  if (following === undefined) {
    following = new Following(system)
    all.set(system, following)
  }
  return following
}
