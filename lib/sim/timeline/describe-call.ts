/** System calls and their results as short texts, much like strace(1)'s. */

import type { ChildProgram } from '../../system/child-program.ts'
import { describeErrno } from '../../system/errno.ts'
import type { WaitResult } from '../../system/system.ts'
import type { WaitStatus } from '../../system/wait-status.ts'
import { isFailure } from '../base/results.ts'
import { ownCalls } from '../programs/own-calls.ts'
import { childCalls, namedCalls, programCalls } from './own-calls.ts'
import { systemCalls } from './system-calls.ts'
import { type DescribeFd, flagsText, shortValue } from './words.ts'

/** A call as the kernel's tracepoints report it. */
export interface ObservedCall {
  /** Its C name. */
  readonly name: string
  readonly method?: string | undefined
  readonly args: readonly unknown[]
}

/** Calls whose result 0 is not shown. */
const quiet: ReadonlySet<string> = new Set(
  `close shutdown kill tgkill rt_tgsigqueueinfo ptrace chdir epoll_ctl setsockopt execve exit exit_group prctl
  setrlimit setpgid close_range rt_sigaction rt_sigprocmask nanosleep store open sched_yield ppoll fcntl futex
  umask prlimit64 setpriority sched_setaffinity personality`.split(/\s+/),
)

/** 'read(4)', 'ptrace(CONT, 101)'. */
export function describeCall(call: ObservedCall, fd: DescribeFd): string {
  return `${call.name}(${describeArgs(call, fd).join(', ')})`
}

// A row's arguments are those that the calls of its name or method have, so the lookups may forget their types.
type Row = (fd: DescribeFd, ...args: readonly unknown[]) => string[]
const byName = new Map(Object.entries({ ...childCalls, ...namedCalls } as unknown as Record<string, Row>))
const byMethod = new Map(Object.entries(systemCalls as unknown as Record<string, Row>))
for (const [key, row] of Object.entries(programCalls as Record<string, (...args: never[]) => string[]>)) {
  const { method } = ownCalls[key as keyof typeof ownCalls]
  byMethod.set(method, (_, ...args) => row(...(args as never[])))
}

function describeArgs({ name, method, args }: ObservedCall, fd: DescribeFd): string[] {
  const row = method === undefined ? byName.get(name) : byMethod.get(method)
  return row?.(fd, ...args) ?? args.map(shortValue)
}

/** ' = 1', ' = EAGAIN'; empty for a result that is not shown. */
export function describeResult(call: ObservedCall, result: unknown, fd: DescribeFd): string {
  if (isFailure(result)) return ` = ${describeErrno(-result).code}`
  if (result === undefined || (result === 0 && quiet.has(call.name))) return ''
  const text = resultText(call, result, fd)
  return text === '' ? '' : ` = ${text}`
}

/** A wait's result: 'stopped by SIGSTOP', 'exited 0'. */
function describeStatus(status: WaitStatus): string {
  switch (status.kind) {
    case 'exited':
      return `exited ${status.code}`
    case 'signaled':
      return `killed by ${status.signal}`
    case 'continued':
      return 'continued'
    case 'stopped':
      return status.event === undefined ? `stopped ${status.signal}` : `${status.event} stop`
  }
}

/** A forked child's first step. A child program lists it; a generator's is not known before it runs. */
export function describeFirstStep(program: unknown): string {
  const first = typeof program === 'object' ? (program as Partial<ChildProgram> | null)?.actions?.[0]?.op : undefined
  return first === undefined ? 'its first step' : first === 'traceme' ? 'ptrace(TRACEME)' : first
}

/** Both ends of one pipe: '3, 4<pipe 5>'. */
function bothEnds([reader, writer]: [number, number], fd: DescribeFd): string {
  fd(reader)
  return `${reader}, ${fd(writer)}`
}

function resultText({ name }: ObservedCall, result: unknown, fd: DescribeFd): string {
  switch (name) {
    case 'pipe2':
      return bothEnds(result as [number, number], fd)
    case 'socketpair':
      return (result as number[]).map(fd).join(', ')
    case 'waitpid':
    case 'waitid': {
      if (result === null) return 'nothing yet'
      const { pid, status } = result as WaitResult
      return `${pid} ${describeStatus(status)}`
    }
    case 'poll':
      return (result as number[]).map(events => flagsText(events, /^POLL/) || '0').join(' ')
    case 'epoll_wait': {
      const ready = result as readonly { data: number; events: number }[]
      return ready.map(each => `${each.data} ${flagsText(each.events, /^EPOLL(?!_)/)}`).join(', ') || 'none'
    }
    case 'recvmsg': {
      const { bytes, fds } = result as { bytes: number; fds: readonly number[] }
      return fds.length === 0 ? String(bytes) : `${bytes}, fds ${fds.map(fd).join(' ')}`
    }
    case 'getsockopt':
      return String((result as [number])[0])
    case 'load':
      return shortValue(result)
    case 'rt_sigprocmask':
      return ''
    default:
      return typeof result === 'number' ? String(result) : ''
  }
}
