/** Explains ENOENT of execve for a file that exists: the interpreter that it names is missing. */

import { closeSync, constants, existsSync, fstatSync, openSync } from 'node:fs'
import { resolve } from 'node:path'
import { loaderNamedBy, readAt } from './elf.ts'

/** BINPRM_BUF_SIZE: the kernel reads this much of a file to identify its format. */
const beginningBytes = 256
/** The kernel's limit on scripts whose interpreter is itself a script. */
const mostScripts = 5

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
    const beginning = Buffer.from(readAt(fd, 0, beginningBytes))
    if (beginning.toString('latin1', 0, 2) === '#!') return /^#![ \t]*([^ \t\n\0]*)/.exec(beginning.toString())?.[1]
    return loaderNamedBy(fd)
  } catch {
    // Unreadable, deleted meanwhile, or malformed: there is nothing to report.
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
