/** `--pid-file`: a file that tells scripts the pid of a program that is held. */

import { randomUUID } from 'node:crypto'
import { closeSync, constants, lstatSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { whyNotWritable, write } from './output.ts'
import { quoted } from './printable.ts'

export interface PidFile {
  /** Readers of a plain file see the whole pid, or what stood there before. */
  tell(pid: number): void
  /** Takes the file away, unless another process has put its own there meanwhile. */
  remove(): void
}

/** Opens the file, so that a place that cannot be written is refused before there is a program. @throws Error */
export function openPidFile(path: string): PidFile {
  const named = descriptorNamed(path)
  if (named !== undefined) return openDescriptor(path, named)
  const isInPlace = attempt(path, () => isOtherThanPlain(path))
  const written = isInPlace ? path : `${path}.${randomUUID()}`
  // A FIFO without a reader is refused, not waited for. A terminal does not become the command's own.
  const { O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_NONBLOCK, O_NOCTTY } = constants
  const flags = isInPlace ? O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY : O_CREAT | O_EXCL
  const fd = attempt(path, () => openSync(written, O_WRONLY | flags, 0o666))
  let told: string | undefined
  return {
    tell(pid) {
      const text = `${pid}\n`
      attempt(path, () => {
        writeSync(fd, text)
        if (!isInPlace) renameSync(written, path)
      })
      told = text
      closeSync(fd)
    },
    remove() {
      if (told === undefined) closeSync(fd)
      if (isInPlace) return
      try {
        if (told === undefined) rmSync(written)
        else if (readFileSync(path, 'latin1') === told) rmSync(path)
      } catch {
        // Its folder is gone, or another process was quicker.
      }
    },
  }
}

/** A descriptor of the command's. Opening its name again would truncate a file that standard output is redirected to. */
function openDescriptor(path: string, fd: number): PidFile {
  const code = whyNotWritable(fd)
  if (code !== undefined) throw new Error(`cannot write ${quoted(path)}: ${code}`)
  return { tell: pid => attempt(path, () => write(fd, `${pid}\n`)), remove() {} }
}

function descriptorNamed(path: string): number | undefined {
  const number = /^\/(?:dev|proc\/self)\/fd\/(\d{1,9})$/.exec(path)?.[1]
  if (number !== undefined) return Number(number)
  return { '/dev/stdout': 1, '/dev/stderr': 2 }[path]
}

/** A link, a device or a FIFO stays what it is: it is written to, not replaced. */
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
