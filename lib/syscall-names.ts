/** The names of system calls. Their tables load at the first use. */

import { packageFolder, requireModule } from './native/own-package.ts'
import type { Architecture } from './system/architecture.ts'
import { providedSyscallTables, type SyscallTables } from './system/syscall-tables.ts'

/**
 * The name of a system call, complete for Linux 6.18; undefined for a number that has none.
 *
 * `SyscallInfo` has both arguments. A bundled program has the tables if it imports 'tracegate/syscalls'.
 *
 * @example syscallName(59, 'x64')  // 'execve'
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for an unknown architecture.
 */
export function syscallName(number: number, architecture: Architecture): string | undefined {
  return loadedTables().nameOf(number, architecture)
}

/**
 * The number of a system call on an architecture; undefined for a name that it does not have.
 *
 * @example syscallNumber('execve', 'arm64')  // 221
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for an unknown architecture.
 */
export function syscallNumber(name: string, architecture: Architecture): number | undefined {
  return loadedTables().numberOf(name, architecture)
}

function loadedTables(): SyscallTables {
  return providedSyscallTables() ?? load()
}

function load(): SyscallTables {
  if (packageFolder() === undefined) {
    throw new Error("the names of system calls are not in this bundle: import 'tracegate/syscalls' into it")
  }
  try {
    requireModule('syscalls/index')
  } catch (cause) {
    // Node cannot require a module whose import is still in progress.
    const how = "where 'tracegate/syscalls' is imported too, let that be done first"
    throw new Error(`the names of system calls could not be loaded; ${how}`, { cause })
  }
  // The module registered itself when it loaded.
  return providedSyscallTables()!
}
