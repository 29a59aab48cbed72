/**
 * The link from syscallName() to the tables of names, which load only if a program needs them.
 *
 * 'tracegate/syscalls' registers itself here when it loads.
 */

import type { Architecture } from './architecture.ts'

/** Looks up system calls, after a check of the arguments. */
export interface SyscallTables {
  nameOf(number: number, architecture: Architecture): string | undefined
  numberOf(name: string, architecture: Architecture): number | undefined
}

let provided: SyscallTables | undefined

/** The tables call this when they load. */
export function provideSyscallTables(tables: SyscallTables): void {
  provided = tables
}

/** The registered tables; undefined if they are not loaded. */
export function providedSyscallTables(): SyscallTables | undefined {
  return provided
}
