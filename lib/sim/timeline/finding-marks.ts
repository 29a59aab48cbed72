/** What the error of a finding points at: the accesses of a race, the calls of a deadlock and what led to it, what was left behind. */

import { SystemError } from '../../system/errors.ts'
import { awaitsNothing, type Blocked } from '../findings/deadlock.ts'
import { DataRaceError, type Leak, LeakError, SimulatedDeadlockError } from '../findings/index.ts'
import type { WaitCause } from '../findings/wait-causes.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { TimelineMark } from './timeline-recorder.ts'

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
function failureOf({ code, syscall }: SystemError): NonNullable<TimelineMark['where']> {
  return ({ kind, text }) =>
    kind === 'failed' && text.endsWith(` = ${code}`) && (text.startsWith('await') || text.includes(`${syscall}(`))
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
  return { ...mark, where: ({ kind, text }) => kind === 'blocked' && !text.startsWith('await') }
}

/** At the await of a descriptor, which is introduced by what it is when it is first met. */
function atReady(fd: number | undefined): Pick<TimelineMark, 'where'> {
  const isReady = new RegExp(`^await ready\\(${fd}\\b`)
  return { where: ({ kind, text }) => kind === 'blocked' && isReady.test(text) }
}

/** Where no event says that the host waits, as its last. */
function atEnd(text: string): Pick<TimelineMark, 'where' | 'otherwise'> {
  return { where: event => event.kind === 'blocked' && event.text === text, otherwise: text }
}

function causeMark({ kind, pid, fd, description }: WaitCause): TimelineMark {
  const event = {
    close: 'call',
    exec: 'exec',
    exit: 'exit',
    kill: 'exit',
    stop: 'stop',
  } as const
  const isClose = new RegExp(`^(close\\(|dup3\\(.*, )${fd}\\b`)
  return {
    kind: 'cause',
    text: description,
    tid: pid,
    where: ({ kind: found, text }) => found === event[kind] && (kind !== 'close' || isClose.test(text)),
  }
}

/** At the last call that used the descriptor or made it, or at the last that the process did. */
function leakMark(kernel: Kernel, leak: Leak): TimelineMark {
  if (leak.kind === 'process') return { kind: 'leak', text: leak.description, tid: leak.pid }
  const { fd, file } = leak
  return { kind: 'leak', text: `fd ${fd} is still open: ${file}`, tid: kernel.host.tid, where: useOf(fd) }
}

/** The other end of a pipe is the same object to a recording, so the number tells. */
function useOf(fd: number): NonNullable<TimelineMark['where']> {
  const uses = new RegExp(`^(?!kill|waitpid|ptrace)(await )?\\w+\\(${fd}\\b`)
  const makes = new RegExp(`^(pipe2|socketpair|dup3?|epoll_create1|recvmsg.*fds|fcntl.*F_DUPFD).* = .*\\b${fd}\\b`)
  return ({ text }) => uses.test(text) || makes.test(text)
}
