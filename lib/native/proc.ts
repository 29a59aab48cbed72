/** What only /proc reveals of a process, and writes to its control files. */

import {
  closeSync,
  constants as fsConstants,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeSync,
} from 'node:fs'
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

/** The fields of /proc/PID/status: 'PPid' to '1'. Undefined if the task does not exist. */
export function statusOf(pid: number | 'self'): ReadonlyMap<string, string> | undefined {
  const text = contentOf(`/proc/${pid}/status`)
  if (text === undefined) return undefined
  return new Map(Array.from(text.matchAll(/^(\w+):[ \t]*(.*)$/gm), ([, name = '', value = '']) => [name, value]))
}

/** The fields of /proc/PID/stat from the third on: state, parent, group, session … */
function statOf(pid: number | string): readonly string[] | undefined {
  const text = contentOf(`/proc/${pid}/stat`)
  // The fields follow the name, whose parentheses may contain any character.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** The flags of a task, PF_*. */
function flagsOf(pid: number): number | undefined {
  const stat = statOf(pid)
  return stat && Number(stat[6])
}

/** Whether a process group has a member that has not ended. A zombie is none. True where /proc cannot be read. */
export function hasLivingMember(group: number): boolean {
  let pids: string[]
  try {
    pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  } catch {
    return true
  }
  return pids.some(pid => {
    const [state = 'Z', , member] = statOf(pid) ?? []
    return Number(member) === group && state !== 'Z' && state !== 'X'
  })
}

const forkedButNotExeced = 0x40
const kernelThread = 0x200000

/** Whether a task has exec'ed since its fork (PF_FORKNOEXEC). Zombies keep the flag. */
export function hasExecedByProc(pid: number): boolean {
  const flags = flagsOf(pid)
  return flags !== undefined && (flags & forkedButNotExeced) === 0
}

/** Whether a task is a kernel thread (PF_KTHREAD). */
export function isKernelThread(pid: number): boolean {
  return ((flagsOf(pid) ?? 0) & kernelThread) !== 0
}

/** Whether a task is dumpable, judged by the owner of its files: root, not its user, owns those of one that is not. */
export function isDumpable(pid: number | 'self', user: string | undefined): boolean {
  try {
    return String(statSync(`/proc/${pid}/stat`).uid) === user
  } catch {
    return true
  }
}

/** Whether a tid is a thread of this process. */
export function isOwnThread(tid: number | string): boolean {
  try {
    readlinkSync(`/proc/self/task/${tid}/exe`)
    return true
  } catch {
    return false
  }
}

/** The tid of the calling thread. */
export function ownThread(): string | undefined {
  try {
    return readlinkSync('/proc/thread-self').split('/')[2]
  } catch {
    return undefined
  }
}

/** The text of a /proc file; undefined if it is unreadable. */
export function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
