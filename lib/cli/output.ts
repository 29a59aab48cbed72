/**
 * The command's own output, written by descriptor.
 *
 * process.stdout and process.stderr would make a pipe non-blocking for every process that has it open. A program faster
 * than its reader would then fail with EAGAIN.
 */

import { closeSync, openSync, readdirSync, readlinkSync, writeSync } from 'node:fs'
import { SystemError } from '../system/errors.ts'
import { inherited } from './inherited.ts'
import { printable, quoted } from './printable.ts'
import { UsageError } from './usage.ts'

/** Writes the whole text. Throws if it cannot be written. */
export function write(fd: number, text: string): void {
  // Node has opened /dev/null in the place of a standard descriptor that was closed: the text would be lost unnoticed.
  if (inherited.closed.includes(fd)) throw new SystemError({ errno: 'EBADF', syscall: 'write' })
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest))
    } catch (error) {
      // Another process has made the full pipe non-blocking: retry, since room may appear at any moment.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}

/**
 * Writes the requested output to standard output.
 *
 * @throws ReaderGone, or an Error that says why it cannot be written.
 */
export function print(text: string): void {
  try {
    write(1, text)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') throw new ReaderGone()
    throw new Error(`cannot write standard output: ${(error as Error).message}`)
  }
}

/** Standard output has no reader any more. It is no error: SIGPIPE, which Node ignores, would end the command. */
export class ReaderGone extends Error {}

/** Writes a message that is required to standard error. Throws if it cannot be written. */
export function reportOrThrow(text: string): void {
  write(2, text)
}

/** Writes a message to standard error, if it can be written. A reader that stops reading does not end the program. */
export function report(text: string): void {
  try {
    write(2, text)
  } catch {
    // No channel is left to report it on.
  }
}

/** The destination of a run's report. */
export interface ReportOutput {
  /** The descriptor, if the caller named one. */
  readonly fd: number | undefined
  write(text: string): void
  close(): void
}

/**
 * Opens FILE or fd:N; by default standard error.
 *
 * @throws UsageError for a descriptor that is not open, Error for a file that cannot be written.
 */
export function openReportOutput(where: string | undefined): ReportOutput {
  if (where === undefined) return { fd: undefined, write: report, close() {} }
  const named = /^fd:(.*)$/s.exec(where)?.[1]
  if (named !== undefined && !/^\d{1,9}$/.test(named)) {
    throw new UsageError(`option '--output' needs fd:N with a number, not ${quoted(where)}`)
  }
  const fd = named === undefined ? openToWrite(where) : Number(named)
  if (named !== undefined) mustBeOpen(fd)
  let hasFailed = false
  return {
    fd: named === undefined ? undefined : fd,
    write(text) {
      if (hasFailed) return
      try {
        write(fd, text)
      } catch (error) {
        hasFailed = true
        report(`tracegate: cannot write the report: ${printable((error as Error).message)}\n`)
      }
    },
    close() {
      if (named === undefined) closeSync(fd)
    },
  }
}

function openToWrite(path: string): number {
  try {
    return openSync(path, 'w')
  } catch (error) {
    throw new Error(`cannot write ${quoted(path)}: ${(error as NodeJS.ErrnoException).code}`)
  }
}

function mustBeOpen(fd: number): void {
  const code = whyNotWritable(fd)
  if (code !== undefined) throw new UsageError(`option '--output': descriptor ${fd} cannot be written: ${code}`)
}

/**
 * The errno of a write to a descriptor that is not open or not writable; undefined if it is writable. Node's own
 * descriptors count as not open.
 */
export function whyNotWritable(fd: number): string | undefined {
  if (isOwn(fd)) return 'EBADF'
  try {
    writeSync(fd, '')
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'EBADF'
  }
}

/**
 * Whether a descriptor is Node's own. Text written to Node's signal pipe crashes it.
 *
 * If the original descriptors are not known, the file type decides. Node's event loops have epoll descriptors, eventfds
 * and pipes of their own.
 */
function isOwn(fd: number): boolean {
  if (inherited.fds !== undefined) return !inherited.fds.includes(fd)
  if (fd <= 2) return false
  const kind = linkOf(fd)
  if (!kind.startsWith('pipe:')) return kind.startsWith('anon_inode:')
  return ownFds().some(other => other > 2 && other !== fd && linkOf(other) === kind)
}

function linkOf(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    // It was the listing's own descriptor, or /proc is absent.
    return ''
  }
}

function ownFds(): number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number)
  } catch {
    return []
  }
}
