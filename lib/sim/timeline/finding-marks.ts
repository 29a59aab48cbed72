/** The events that a finding's error points at: accesses of a race, calls and causes of a deadlock, uses of leaks. */

import { constants } from '../../system/constants.ts'
import { SystemError } from '../../system/errors.ts'
import type { PollRequest } from '../../system/system.ts'
import { DataRaceError } from '../findings/data-race.ts'
import { awaitsNothing, type Blocked, SimulatedDeadlockError } from '../findings/deadlock.ts'
import { type Leak, LeakError } from '../findings/leaks.ts'
import type { WaitCause } from '../findings/wait-causes.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { RecordedEvent, TimelineMark } from './marks.ts'

/** Most characters of an error message, which may hold a whole diff. */
const longestText = 160

/** The marks of a run that ended with `error`, which the program of process `crashed` threw, or the host. */
export function marksOf(kernel: Kernel, kind: string, error: Error, crashed?: number): TimelineMark[] {
  if (error instanceof DataRaceError) return raceMarks(error)
  if (error instanceof SimulatedDeadlockError) return deadlockMarks(error, kernel.host.tid)
  if (error instanceof LeakError) return error.leaks.map(leak => leakMark(kernel, leak))
  const text = onOneLine(error.message)
  const tid = crashed ?? kernel.host.tid
  return [
    error instanceof SystemError && crashed === undefined
      ? { kind, text, tid, where: failureOf(error) }
      : { kind, text, tid },
  ]
}

function onOneLine(message: string): string {
  const line = message.replaceAll(/\s+/g, ' ').trim()
  return line.length > longestText ? `${line.slice(0, longestText)}…` : line
}

/** Finds the call that failed, which need not be the last: cleanup may have followed. */
function failureOf({ code, errno, syscall }: SystemError): NonNullable<TimelineMark['where']> {
  return ({ kind, call, result, awaited, ...event }) =>
    kind === 'failed' && (awaited === undefined ? call?.name === syscall && result === errno : event.code === code)
}

function raceMarks({ cell, accesses }: DataRaceError): TimelineMark[] {
  return accesses.map(({ tid, number }, at) => {
    const other = accesses[1 - at]!
    const text = `nothing orders this and the ${other.call} of ${other.tid}`
    return { kind: 'race', text, tid, object: cell.id, nth: number }
  })
}

function deadlockMarks({ graph: { waits, causes } }: SimulatedDeadlockError, host: number): TimelineMark[] {
  // Causes come first: a call that is both a cause and a wait keeps the mark of the wait.
  const marks = [...causes.map(causeMark), ...waits.map(waitMark)]
  if (waits.some(({ tid }) => tid === host)) return marks
  return [...marks, { kind: 'deadlock', text: awaitsNothing, tid: host, ...atEnd('await') }]
}

/** Marks the call that waits, which need not be the last: the host may have gone on after the error. */
function waitMark({ tid, on, awaited, files, description, waitsFor }: Blocked): TimelineMark {
  const mark = { kind: 'deadlock', text: description, tid, waitsFor }
  if (awaited) return { ...mark, ...(on === 'child' ? atEnd('await SIGCHLD') : atReady(files[0]?.fd)) }
  if (on === 'stopped' || on === 'traced') return { ...mark, where: ({ kind }) => kind === 'stop' }
  return { ...mark, where: ({ kind, call }) => kind === 'blocked' && call !== undefined }
}

/** Finds the await of a descriptor's readiness. */
function atReady(fd: number | undefined): Pick<TimelineMark, 'where'> {
  return { where: ({ kind, awaited }) => kind === 'blocked' && fd !== undefined && awaited?.fd === fd }
}

/** Adds an event at the end for a wait of the host that no event records. */
function atEnd(text: string): Pick<TimelineMark, 'otherwise'> {
  return { otherwise: text }
}

/** The kind of event of each cause except a close. */
const causes = { exec: 'exec', exit: 'exit', kill: 'exit', stop: 'stop' } as const

function causeMark({ kind, pid, fd, description }: WaitCause): TimelineMark {
  const where: TimelineMark['where'] =
    kind === 'close' ? ({ kind: of, call }) => of === 'call' && closes(call, fd) : event => event.kind === causes[kind]
  return { kind: 'cause', text: description, tid: pid, where }
}

function closes(call: RecordedEvent['call'], fd: number | undefined): boolean {
  return (call?.name === 'close' && call.args[0] === fd) || (call?.name === 'dup3' && call.args[1] === fd)
}

/** Marks the last call that used or made a leaked descriptor, or the last event of a leaked process. */
function leakMark(kernel: Kernel, leak: Leak): TimelineMark {
  if (leak.kind === 'process') return { kind: 'leak', text: leak.description, tid: leak.pid }
  const { fd, file } = leak
  return { kind: 'leak', text: `fd ${fd} is still open: ${file}`, tid: kernel.host.tid, where: useOf(fd) }
}

/** Finds a use by the descriptor's number: a recording has one object for both ends of a pipe. */
function useOf(fd: number): NonNullable<TimelineMark['where']> {
  return ({ call, result, awaited }) =>
    awaited?.fd === fd || (call !== undefined && (uses(call, fd) || made(call, result).includes(fd)))
}

/** Calls whose first argument is a number, but no descriptor: a process, or flags. */
const withoutFd: ReadonlySet<string> = new Set(
  `kill tgkill rt_tgsigqueueinfo waitpid waitid ptrace process_vm_readv process_vm_writev pidfd_open proc
  pipe2 socketpair epoll_create1`.split(/\s+/),
)

function uses({ name, args: [first] }: NonNullable<RecordedEvent['call']>, fd: number): boolean {
  if (name === 'poll') return (first as readonly PollRequest[]).some(request => request.fd === fd)
  return first === fd && !withoutFd.has(name)
}

/** The descriptors that a call made. */
function made({ name, args }: NonNullable<RecordedEvent['call']>, result: unknown): readonly unknown[] {
  switch (name) {
    case 'pipe2':
    case 'socketpair':
      return Array.isArray(result) ? result : []
    case 'dup':
    case 'dup3':
    case 'epoll_create1':
      return [result]
    case 'fcntl':
      return args[1] === constants.F_DUPFD || args[1] === constants.F_DUPFD_CLOEXEC ? [result] : []
    case 'recvmsg':
      return (result as { fds?: readonly number[] } | null | undefined)?.fds ?? []
    default:
      return []
  }
}
