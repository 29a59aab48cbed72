/** The C library of the running program, as its files and Node's report show it. */

import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'

const programHeaderBytes = 56
const ptInterp = 3
const mostPathBytes = 4096
const pageBytes = 4096

/** The dynamic loader (PT_INTERP) of a 64-bit ELF program; undefined if it names none or is unreadable. */
export function interpreterOf(program: string): string | undefined {
  let fd: number
  try {
    fd = openSync(program, 'r')
  } catch {
    return undefined
  }
  try {
    return readInterpreter(fd)
  } catch {
    return undefined
  } finally {
    closeSync(fd)
  }
}

function readInterpreter(fd: number): string | undefined {
  // The first page usually contains both the program headers and the path.
  const page = read(fd, 0, pageBytes)
  if (page.toString('latin1', 0, 5) !== '\x7fELF\x02') return undefined
  const part = (position: number, length: number) =>
    position + length <= page.length ? page.subarray(position, position + length) : read(fd, position, length)
  const headers = part(Number(page.readBigUInt64LE(32)), programHeaderBytes * page.readUInt16LE(56))
  for (let at = 0; at + programHeaderBytes <= headers.length; at += programHeaderBytes) {
    if (headers.readUInt32LE(at) !== ptInterp) continue
    const bytes = Math.min(Number(headers.readBigUInt64LE(at + 32)), mostPathBytes)
    const path = part(Number(headers.readBigUInt64LE(at + 8)), bytes)
    const end = path.indexOf(0)
    return path.toString('latin1', 0, end < 0 ? path.length : end)
  }
  return undefined
}

function read(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  return bytes.subarray(0, readSync(fd, bytes, 0, length, position))
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
