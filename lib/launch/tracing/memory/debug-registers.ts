/** What watch() needs of a machine's debug registers. */

import { SystemError } from '../../../system/errors.ts'
import type { StopStatus, Trap } from '../../../system/wait-status.ts'
import type { Task } from '../tasks/task.ts'

/** Options of watch(). */
export interface WatchOptions {
  /** The number of bytes; the address is a multiple of it. */
  readonly size: 1 | 2 | 4 | 8
  /** 'execute': before the instruction at the address; 'write' and 'access' (a read or a write): after it. */
  readonly on: 'execute' | 'write' | 'access'
}

/** A watched address. */
export interface Watch extends WatchOptions {
  readonly address: bigint
}

export interface DebugRegisters {
  /** Gives a watch a register. @throws SystemError ENOSPC, EINVAL. */
  add(watch: Watch): void
  /** False if the watch had no register. */
  remove(watch: Watch): boolean
  /** Writes a thread's registers. */
  apply(thread: Pick<Task, 'tid'>): void
  /** Empties a thread's registers. */
  empty(task: Task): void
  /** See Watchpoints.passUnseen(): only for machines that trap before an access. */
  passUnseen?(task: Task, status: StopStatus): boolean
  /** See Watchpoints.passOver(). */
  passOver(task: Task): void
  /** The watch that a thread's SIGTRAP is for. */
  trapOf(task: Task): Trap | 'stale' | undefined
  /** Whether a single step has read or written a watched address. */
  hasSteppedOver(task: Task): boolean
}

/** The registers of one kind, each with its watch. */
export type Slots = (Watch | undefined)[]

/** Puts a watch into a free register. */
export function take(slots: Slots, watch: Watch): void {
  const slot = slots.indexOf(undefined)
  if (slot < 0) {
    const hint = 'all debug registers of the machine are in use'
    throw new SystemError({ errno: 'ENOSPC', syscall: 'ptrace', hint })
  }
  slots[slot] = watch
}

/** Frees the register of a watch. */
export function release(slots: Slots, watch: Watch): boolean {
  const slot = slots.indexOf(watch)
  if (slot < 0) return false
  slots[slot] = undefined
  return true
}

export function trapFor({ address, on }: Watch): Trap {
  return { kind: 'watch', address, on }
}
