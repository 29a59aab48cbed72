/** `--pid-file`: a file with the pid of a held program, for scripts. */

import { randomUUID } from 'node:crypto'
import { closeSync, constants, lstatSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { whyNotWritable, write } from './output.ts'
import { quoted } from './printable.ts'

export interface PidFile {
  /** Writes the pid. Readers of a plain file see the whole pid or the previous content. */
  write(pid: number): void
  /** Removes the file, unless another process has replaced it meanwhile. */
  remove(): void
}

/** Opens the file early, so that an unwritable path is refused before the program exists. @throws Error */
export function openPidFile(path: string): PidFile {
  const named = descriptorNamed(path)
  if (named !== undefined) return openDescriptor(path, named)
  const isInPlace = attempt(path, () => isOtherThanPlain(path))
  const written = isInPlace ? path : `${path}.${randomUUID()}`
  // A FIFO without a reader is refused, not awaited. A terminal must not become the controlling one.
  const { O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_NONBLOCK, O_NOCTTY } = constants
  const flags = isInPlace ? O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY : O_CREAT | O_EXCL
  const fd = attempt(path, () => openSync(written, O_WRONLY | flags, 0o666))
  let content: string | undefined
  return {
    write(pid) {
      const text = `${pid}\n`
      attempt(path, () => {
        writeSync(fd, text)
        if (!isInPlace) renameSync(written, path)
      })
      content = text
      closeSync(fd)
    },
    remove() {
      if (content === undefined) closeSync(fd)
      if (isInPlace) return
      try {
        if (content === undefined) rmSync(written)
        else if (readFileSync(path, 'latin1') === content) rmSync(path)
      } catch {
        // The folder is gone, or another process removed the file first.
      }
    },
  }
}

/** Uses an inherited descriptor: opening its name again would truncate a file that is also standard output. */
function openDescriptor(path: string, fd: number): PidFile {
  const code = whyNotWritable(fd)
  if (code !== undefined) throw new Error(`cannot write ${quoted(path)}: ${code}`)
  return { write: pid => attempt(path, () => write(fd, `${pid}\n`)), remove() {} }
}

function descriptorNamed(path: string): number | undefined {
  const number = /^\/(?:dev|proc\/self)\/fd\/(\d{1,9})$/.exec(path)?.[1]
  if (number !== undefined) return Number(number)
  return { '/dev/stdout': 1, '/dev/stderr': 2 }[path]
}

/** Links, devices and FIFOs are written to, never replaced. */
function isOtherThanPlain(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found !== undefined && !found.isFile()
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw new Error(`cannot write ${quoted(path)}: ${(error as NodeJS.ErrnoException).code}`)
  }
}
