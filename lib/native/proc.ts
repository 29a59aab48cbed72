/** What only /proc can tell of a process, and the writing of its control files. */

import { closeSync, constants as fsConstants, openSync, readFileSync, readlinkSync, statSync, writeSync } from 'node:fs'
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

/** The fields of /proc/PID/status: 'PPid' to '1'. Undefined where there is no such task. */
export function statusOf(pid: number | 'self'): ReadonlyMap<string, string> | undefined {
  const text = contentOf(`/proc/${pid}/status`)
  if (text === undefined) return undefined
  return new Map(Array.from(text.matchAll(/^(\w+):[ \t]*(.*)$/gm), ([, name = '', value = '']) => [name, value]))
}

/** The flags of a task, PF_*: the ninth field of /proc/PID/stat. */
function flagsOf(pid: number): number | undefined {
  const text = contentOf(`/proc/${pid}/stat`)
  // Behind the name in parentheses, which may have any character in it.
  if (text === undefined) return undefined
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[6])
}

const forkedButNotExeced = 0x40
const kernelThread = 0x200000

/** Whether a task has exec'ed since its fork, PF_FORKNOEXEC. A zombie tells it, too. */
export function hasExecedByProc(pid: number): boolean {
  const flags = flagsOf(pid)
  return flags !== undefined && (flags & forkedButNotExeced) === 0
}

/** Whether a task is a thread of the kernel, PF_KTHREAD. */
export function isKernelThread(pid: number): boolean {
  return ((flagsOf(pid) ?? 0) & kernelThread) !== 0
}

/** Whether a task is dumpable, as far as the owner of its files tells: root, in place of its user, for one that is not. */
export function isDumpable(pid: number | 'self', user: string | undefined): boolean {
  try {
    return String(statSync(`/proc/${pid}/stat`).uid) === user
  } catch {
    return true
  }
}

/** Whether a number is a thread of this process. */
export function isOwnThread(tid: number | string): boolean {
  try {
    readlinkSync(`/proc/self/task/${tid}/exe`)
    return true
  } catch {
    return false
  }
}

/** The number of the calling thread. */
export function ownThread(): string | undefined {
  try {
    return readlinkSync('/proc/thread-self').split('/')[2]
  } catch {
    return undefined
  }
}

/** The text of a file of /proc; undefined where it cannot be read. */
export function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
