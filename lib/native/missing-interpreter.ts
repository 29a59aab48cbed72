/** Why a file that is there is not found by execve: the interpreter that it names is missing. */

import { closeSync, constants, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { resolve } from 'node:path'

/** The kernel reads this much of a file to see what it is (BINPRM_BUF_SIZE). */
const beginningBytes = 256
/** The kernel follows a script's interpreter that is itself a script so many times. */
const mostScripts = 5

const programInterpreter = 3 // PT_INTERP

/** A sentence about the first of the files that is there and names an interpreter that is not; undefined where that is not why. */
export function missingInterpreterHint(files: readonly string[], directory: string): string | undefined {
  for (const file of files) {
    const missing = missingInterpreter(file, directory, mostScripts)
    if (missing !== undefined) return `its interpreter ${JSON.stringify(missing).slice(1, -1)} does not exist`
  }
  return undefined
}

function missingInterpreter(file: string, directory: string, scriptsLeft: number): string | undefined {
  const interpreter = interpreterOf(file)
  if (interpreter === undefined || interpreter === '') return undefined
  const path = resolve(directory, interpreter)
  if (!existsSync(path)) return interpreter
  return scriptsLeft > 0 ? missingInterpreter(path, directory, scriptsLeft - 1) : undefined
}

/** The path behind a script's #!, or in an ELF program's PT_INTERP. */
function interpreterOf(file: string): string | undefined {
  let fd: number | undefined
  try {
    // A FIFO of that name, opened otherwise, would block.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
    if (!fstatSync(fd).isFile()) return undefined
    const beginning = readAt(fd, 0, beginningBytes)
    if (beginning.toString('latin1', 0, 2) === '#!') return /^#![ \t]*([^ \t\n\0]*)/.exec(beginning.toString())?.[1]
    return beginning.toString('latin1', 0, 4) === '\x7fELF' ? loaderOf(fd, beginning) : undefined
  } catch {
    // Not readable, gone since, not what it seems: then there is nothing to say.
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/** The dynamic loader of an ELF file of this machine's byte order, as man 5 elf lays it out. */
function loaderOf(fd: number, header: Buffer): string | undefined {
  const is64 = header[4] === 2
  const headersAt = is64 ? Number(header.readBigUInt64LE(32)) : header.readUInt32LE(28)
  const size = header.readUInt16LE(is64 ? 54 : 42)
  const count = header.readUInt16LE(is64 ? 56 : 44)
  const table = readAt(fd, headersAt, size * count)
  for (let at = 0; at + size <= table.length; at += size) {
    if (table.readUInt32LE(at) !== programInterpreter) continue
    const offset = is64 ? Number(table.readBigUInt64LE(at + 8)) : table.readUInt32LE(at + 4)
    const bytes = is64 ? Number(table.readBigUInt64LE(at + 32)) : table.readUInt32LE(at + 16)
    return readAt(fd, offset, Math.min(bytes, longestPath)).toString().split('\0')[0]
  }
  return undefined
}

const longestPath = 4096

function readAt(fd: number, offset: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  return buffer.subarray(0, readSync(fd, buffer, 0, bytes, offset))
}
