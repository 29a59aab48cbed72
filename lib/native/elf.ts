/** ELF files: the dynamic loader that a program names. elf(5) has the layout. */

import { readSync } from 'node:fs'

const programInterpreter = 3 // PT_INTERP
const longestPath = 4096
const pageBytes = 4096

/**
 * The bytes at a position of a file; fewer at its end.
 *
 * Not a Buffer: each of its methods costs the first launch of a process some 0.1 ms, at its first use.
 */
export function readAt(fd: number, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  return bytes.subarray(0, readSync(fd, bytes, 0, length, position))
}

/** The bytes as a DataView. */
export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

/** Whether they begin an ELF file. */
export function isElf(view: DataView): boolean {
  return view.byteLength >= 4 && view.getUint32(0) === 0x7f454c46
}

/**
 * The dynamic loader (PT_INTERP) of an ELF program in this machine's byte order; undefined for a program that names
 * none, and for any other file. Throws if the file is cut short.
 */
export function loaderNamedBy(fd: number): string | undefined {
  // The first page usually contains both the program headers and the path.
  const page = readAt(fd, 0, pageBytes)
  const start = viewOf(page)
  if (!isElf(start)) return undefined
  const part = (position: number, length: number) =>
    position + length <= page.length ? page.subarray(position, position + length) : readAt(fd, position, length)
  const is64 = page[4] === 2
  const headerBytes = is64 ? 56 : 32
  const headersAt = is64 ? Number(start.getBigUint64(32, true)) : start.getUint32(28, true)
  const headers = viewOf(part(headersAt, headerBytes * start.getUint16(is64 ? 56 : 44, true)))
  for (let at = 0; at + headerBytes <= headers.byteLength; at += headerBytes) {
    if (headers.getUint32(at, true) !== programInterpreter) continue
    const offset = is64 ? Number(headers.getBigUint64(at + 8, true)) : headers.getUint32(at + 4, true)
    const bytes = is64 ? Number(headers.getBigUint64(at + 32, true)) : headers.getUint32(at + 16, true)
    return pathIn(part(offset, Math.min(bytes, longestPath)))
  }
  return undefined
}

function pathIn(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  const path = end < 0 ? bytes : bytes.subarray(0, end)
  return path.every(byte => byte < 0x80) ? String.fromCharCode(...path) : Buffer.from(path).toString()
}
