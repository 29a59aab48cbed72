/** What the error of a finding points at: the accesses of a race, the calls of a deadlock and what led to it, what was left behind. */

import { constants } from '../../system/constants.ts'
import { SystemError } from '../../system/errors.ts'
import type { PollRequest } from '../../system/system.ts'
import { DataRaceError } from '../findings/data-race.ts'
import { awaitsNothing, type Blocked, SimulatedDeadlockError } from '../findings/deadlock.ts'
import { type Leak, LeakError } from '../findings/leaks.ts'
import type { WaitCause } from '../findings/wait-causes.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { RecordedEvent, TimelineMark } from './timeline-recorder.ts'

/** Of a message, which may hold a whole diff. */
const longestText = 160

/** The marks for a run that ended with an error. */
export function marksOf(kernel: Kernel, kind: string, error: Error): TimelineMark[] {
  if (error instanceof DataRaceError) return raceMarks(error)
  if (error instanceof SimulatedDeadlockError) return deadlockMarks(error, kernel.host.tid)
  if (error instanceof LeakError) return error.leaks.map(leak => leakMark(kernel, leak))
  const text = onOneLine(error.message)
  const crash = kernel.crashes.find(each => each.error === error)
  const tid = crash?.pid ?? kernel.host.tid
  return [
    error instanceof SystemError && crash === undefined
      ? { kind, text, tid, where: failureOf(error) }
      : { kind, text, tid },
  ]
}

function onOneLine(message: string): string {
  const line = message.replaceAll(/\s+/g, ' ').trim()
  return line.length > longestText ? `${line.slice(0, longestText)}…` : line
}

/** The call that failed: much may have been undone since. */
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
  // What led there comes first, so that a call which is both is marked as one that waits.
  const marks = [...causes.map(causeMark), ...waits.map(waitMark)]
  if (waits.some(({ tid }) => tid === host)) return marks
  return [...marks, { kind: 'deadlock', text: awaitsNothing, tid: host, ...atEnd('await') }]
}

/** At the call that waits, after which the host may have gone on with the error. */
function waitMark({ tid, on, awaited, files, description, waitsFor }: Blocked): TimelineMark {
  const mark = { kind: 'deadlock', text: description, tid, waitsFor }
  if (awaited) return { ...mark, ...(on === 'child' ? atEnd('await SIGCHLD') : atReady(files[0]?.fd)) }
  if (on === 'stopped' || on === 'traced') return { ...mark, where: ({ kind }) => kind === 'stop' }
  return { ...mark, where: ({ kind, call }) => kind === 'blocked' && call !== undefined }
}

/** At the await of a descriptor. */
function atReady(fd: number | undefined): Pick<TimelineMark, 'where'> {
  return { where: ({ kind, awaited }) => kind === 'blocked' && fd !== undefined && awaited?.fd === fd }
}

/** Where no event says that the host waits, as its last. */
function atEnd(text: string): Pick<TimelineMark, 'otherwise'> {
  return { otherwise: text }
}

/** The events that causes other than closes are. */
const causes = { exec: 'exec', exit: 'exit', kill: 'exit', stop: 'stop' } as const

function causeMark({ kind, pid, fd, description }: WaitCause): TimelineMark {
  const where: TimelineMark['where'] =
    kind === 'close' ? ({ kind: of, call }) => of === 'call' && closes(call, fd) : event => event.kind === causes[kind]
  return { kind: 'cause', text: description, tid: pid, where }
}

function closes(call: RecordedEvent['call'], fd: number | undefined): boolean {
  return (call?.name === 'close' && call.args[0] === fd) || (call?.name === 'dup3' && call.args[1] === fd)
}

/** At the last call that used the descriptor or made it, or at the last that the process did. */
function leakMark(kernel: Kernel, leak: Leak): TimelineMark {
  if (leak.kind === 'process') return { kind: 'leak', text: leak.description, tid: leak.pid }
  const { fd, file } = leak
  return { kind: 'leak', text: `fd ${fd} is still open: ${file}`, tid: kernel.host.tid, where: useOf(fd) }
}

/** The other end of a pipe is the same object to a recording, so the number tells. */
function useOf(fd: number): NonNullable<TimelineMark['where']> {
  return ({ call, result, awaited }) =>
    awaited?.fd === fd || (call !== undefined && (uses(call, fd) || made(call, result).includes(fd)))
}

/** Calls whose first argument is the number of a process. */
const aboutProcesses: ReadonlySet<string> = new Set(['kill', 'waitpid', 'ptrace', 'process_vm_readv'])

function uses({ name, args: [first] }: NonNullable<RecordedEvent['call']>, fd: number): boolean {
  if (name === 'poll') return (first as readonly PollRequest[]).some(request => request.fd === fd)
  return first === fd && !aboutProcesses.has(name)
}

/** The descriptors that a call has made. */
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
