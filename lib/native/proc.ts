/** What only /proc tells: who traces a process, and the writing of control files. */

import { closeSync, constants as fsConstants, openSync, readFileSync, readlinkSync, writeSync } from 'node:fs'
import { SystemError } from '../system/errors.ts'

/** `open(path, O_WRONLY)`, one `write`, `close`. Throws SystemError. */
export function writeControlFile(path: string, text: string): void {
  let fd: number | undefined
  try {
    fd = openSync(path, fsConstants.O_WRONLY)
    writeSync(fd, text)
  } catch (error) {
    const { errno, syscall } = error as NodeJS.ErrnoException
    if (errno === undefined) throw error
    throw new SystemError({ errno, syscall: syscall ?? 'write', path })
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/**
 * Why a ptrace request may have met ESRCH although the process is there: the tracer is a thread, and another one of this process.
 * Undefined where that is not the reason.
 */
export function otherThreadHint(pid: number): string | undefined {
  try {
    const tracer = /^TracerPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    if (tracer === undefined || tracer === '0') return undefined
    const [self, , thread] = readlinkSync('/proc/thread-self').split('/')
    if (tracer === thread) return undefined
    readlinkSync(`/proc/${self}/task/${tracer}/exe`)
    return 'it belongs to another thread of this process, the one that launched it'
  } catch {
    // No such process, or a tracer outside this process: ESRCH says all there is to say.
    return undefined
  }
}
