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
import type { TaskFacts } from '../system/private-calls.ts'

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

let isOwn = false

/**
 * Whether /proc numbers processes as this process does. After unshare(CLONE_NEWPID), or in a container that kept its
 * host's /proc, the same number there is another process.
 */
export function hasOwnProc(): boolean {
  if (isOwn) return true
  try {
    isOwn = readlinkSync('/proc/self') === String(process.pid)
  } catch {
    // There is none.
  }
  return isOwn
}

/** The text of /proc/PID/NAME; undefined if it is unreadable. */
function contentOfTask(pid: number | 'self', name: string): string | undefined {
  return pid === 'self' || hasOwnProc() ? contentOf(`/proc/${pid}/${name}`) : undefined
}

/** The fields of /proc/PID/status: 'PPid' to '1'. Undefined if the task does not exist. */
export function statusOf(pid: number | 'self'): ReadonlyMap<string, string> | undefined {
  const text = contentOfTask(pid, 'status')
  if (text === undefined) return undefined
  return new Map(Array.from(text.matchAll(/^(\w+):[ \t]*(.*)$/gm), ([, name = '', value = '']) => [name, value]))
}

/**
 * The fields of a task's stat file from the third on: state, parent, group, session … The file of the whole process,
 * /proc/PID/stat, would sum up the times of all its threads.
 */
function statOf(tid: number): readonly string[] | undefined {
  const text = contentOfTask(tid, `task/${tid}/stat`)
  // The fields follow the name, whose parentheses may contain any character.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** The threads of a process. */
export function threadsOf(pid: number): number[] | undefined {
  if (!hasOwnProc()) return undefined
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number)
  } catch {
    return undefined
  }
}

/** Whether a process group has a member that has not ended, as a zombie has. True if /proc cannot be read. */
export function hasLivingMember(group: number): boolean {
  if (!hasOwnProc()) return true
  let pids: string[]
  try {
    pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  } catch {
    return true
  }
  return pids.some(pid => {
    const [state = 'Z', , member] = statOf(Number(pid)) ?? []
    return Number(member) === group && state !== 'Z' && state !== 'X'
  })
}

/** The flags of a task, PF_*: the ninth field of /proc/PID/stat. */
function flagsOf(pid: number): number | undefined {
  const fields = statOf(pid)
  return fields && Number(fields[6])
}

const exiting = 0x4
const forkedButNotExeced = 0x40
const kernelThread = 0x200000

/** A task's process, parent and state. */
export function taskFacts(tid: number): TaskFacts | undefined {
  const status = statusOf(tid)
  const fields = statOf(tid)
  if (status === undefined || fields === undefined) return undefined
  return {
    process: Number(status.get('Tgid')),
    parent: Number(status.get('PPid')),
    tracer: Number(status.get('TracerPid')),
    state: fields[0]!,
    threads: Number(fields[17]),
    exitStatus: Number(fields.at(-1)),
    // The start of the stack, which is random for each exec.
    memoryMark: Number(fields[25]),
  }
}

/** Whether a task has ended and is not reaped. */
export function isZombie(tid: number): boolean {
  return statOf(tid)?.[0] === 'Z'
}

/** SIGKILL's bit in the masks of pending signals. */
export const sigkillPending = 1n << 8n
/** CAP_SYS_PTRACE's bit in the masks of capabilities. */
export const capSysPtrace = 1n << 19n
/** The numbers of execve and execveat, for this machine's 64-bit programs and its 32-bit ones. */
const execCalls: ReadonlySet<string> = new Set(
  process.arch === 'x64' ? ['59', '322', '11', '358'] : ['221', '281', '11', '387'],
)

/**
 * Whether the main thread of a process is in an exec, or is being killed: by another thread's exec, or with the whole
 * process.
 */
export function isEndingOrExecing(pid: number): boolean {
  const fields = statOf(pid)
  if (fields === undefined || 'ZX'.includes(fields[0]!) || (Number(fields[6]) & exiting) !== 0) return true
  const pending = BigInt(`0x${statusOf(pid)?.get('SigPnd') ?? '0'}`)
  return (pending & sigkillPending) !== 0n || isExecing(pid)
}

/** Whether a task waits in an exec. */
export function isExecing(tid: number): boolean {
  return execCalls.has(contentOfTask(tid, 'syscall')?.split(' ')[0] ?? '')
}

/** Whether a task has exec'ed since its fork (PF_FORKNOEXEC). Zombies keep the flag. Undefined where /proc hides it. */
export function hasExecedByProc(pid: number): boolean | undefined {
  const flags = flagsOf(pid)
  return flags === undefined ? undefined : (flags & forkedButNotExeced) === 0
}

/** Whether a task is a kernel thread (PF_KTHREAD). */
export function isKernelThread(pid: number): boolean {
  return ((flagsOf(pid) ?? 0) & kernelThread) !== 0
}

/** Whether a task is dumpable, judged by the owner of its files in /proc: root if the task is not dumpable. */
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

/** Yama's ptrace_scope; undefined if the kernel has no Yama, or /proc no settings. */
export function yamaScope(): string | undefined {
  return contentOf('/proc/sys/kernel/yama/ptrace_scope')?.trim()
}

/** The text of a /proc file; undefined if it is unreadable. */
export function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
