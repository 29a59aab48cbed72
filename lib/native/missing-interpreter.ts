/** Explains ENOENT of execve for a file that exists: the interpreter that it names is missing. */

import { closeSync, constants, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { resolve } from 'node:path'

/** BINPRM_BUF_SIZE: the kernel reads this much of a file to identify its format. */
const beginningBytes = 256
/** The kernel's limit on scripts whose interpreter is itself a script. */
const mostScripts = 5

const programInterpreter = 3 // PT_INTERP

/** A sentence about the first existing file whose interpreter is missing; undefined if there is none. */
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
    // Without O_NONBLOCK, opening a FIFO would block.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
    if (!fstatSync(fd).isFile()) return undefined
    const beginning = readAt(fd, 0, beginningBytes)
    if (beginning.toString('latin1', 0, 2) === '#!') return /^#![ \t]*([^ \t\n\0]*)/.exec(beginning.toString())?.[1]
    return beginning.toString('latin1', 0, 4) === '\x7fELF' ? loaderOf(fd, beginning) : undefined
  } catch {
    // Unreadable, deleted meanwhile, or malformed: there is nothing to report.
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/** The dynamic loader of an ELF file in this machine's byte order; the layout is in elf(5). */
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
