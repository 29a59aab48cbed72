/** ELF files: the dynamic loader that a program names. elf(5) has the layout. */

import { readSync } from 'node:fs'

const programInterpreter = 3 // PT_INTERP
const longestPath = 4096
const pageBytes = 4096

/** The bytes at a position of a file; fewer at its end. */
export function readAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  return bytes.subarray(0, readSync(fd, bytes, 0, length, position))
}

/**
 * The dynamic loader (PT_INTERP) of an ELF program in this machine's byte order; undefined for a program that names
 * none, and for any other file. Throws if the file is cut short.
 */
export function loaderNamedBy(fd: number): string | undefined {
  // The first page usually contains both the program headers and the path.
  const page = readAt(fd, 0, pageBytes)
  if (page.toString('latin1', 0, 4) !== '\x7fELF') return undefined
  const part = (position: number, length: number) =>
    position + length <= page.length ? page.subarray(position, position + length) : readAt(fd, position, length)
  const is64 = page[4] === 2
  const headerBytes = is64 ? 56 : 32
  const headersAt = is64 ? Number(page.readBigUInt64LE(32)) : page.readUInt32LE(28)
  const headers = part(headersAt, headerBytes * page.readUInt16LE(is64 ? 56 : 44))
  for (let at = 0; at + headerBytes <= headers.length; at += headerBytes) {
    if (headers.readUInt32LE(at) !== programInterpreter) continue
    const offset = is64 ? Number(headers.readBigUInt64LE(at + 8)) : headers.readUInt32LE(at + 4)
    const bytes = is64 ? Number(headers.readBigUInt64LE(at + 32)) : headers.readUInt32LE(at + 16)
    return part(offset, Math.min(bytes, longestPath)).toString().split('\0')[0]
  }
  return undefined
}
