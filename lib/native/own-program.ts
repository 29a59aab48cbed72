/** The C library of the running program, as its files and Node's report show it. */

import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { loaderNamedBy } from './elf.ts'

/** The dynamic loader (PT_INTERP) of an ELF program; undefined if it names none or is unreadable. */
export function interpreterOf(program: string): string | undefined {
  let fd: number
  try {
    fd = openSync(program, 'r')
  } catch {
    return undefined
  }
  try {
    return loaderNamedBy(fd)
  } catch {
    return undefined
  } finally {
    closeSync(fd)
  }
}

/** The process's memory map, with the paths of its libraries; undefined if it is unreadable. */
export function mappedFiles(): string | undefined {
  try {
    return readFileSync('/proc/self/maps', 'latin1')
  } catch {
    return undefined
  }
}

/**
 * glibc's version from Node's diagnostic report; undefined if there is none.
 *
 * The report takes 5 ms. It must not run while a standard descriptor is closed: libuv aborts the process if a file that
 * it opens gets that number.
 */
export function reportedGlibcVersion(): string | undefined {
  const report: (NodeJS.ProcessReport & { excludeNetwork?: boolean }) | undefined = process.report
  if (typeof report?.getReport !== 'function' || !areStandardDescriptorsOpen()) return undefined
  // The network section resolves a name for every open socket, which may take seconds.
  const before = report.excludeNetwork ?? false
  report.excludeNetwork = true
  try {
    const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } }
    return header?.glibcVersionRuntime
  } finally {
    report.excludeNetwork = before
  }
}

function areStandardDescriptorsOpen(): boolean {
  try {
    for (const fd of [0, 1, 2]) fstatSync(fd)
    return true
  } catch {
    return false
  }
}
