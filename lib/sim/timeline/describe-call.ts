/** System calls and their results as short texts, much like strace(1)'s. */

import type { ChildProgram } from '../../system/child-program.ts'
import { constants } from '../../system/constants.ts'
import { describeErrno } from '../../system/errno.ts'
import { type Signal, signalName } from '../../system/signals.ts'
import type { WaitResult } from '../../system/system.ts'
import type { WaitStatus } from '../../system/wait-status.ts'
import { countOf } from '../base/count-of.ts'
import { isFailure } from '../base/results.ts'
import { Cell } from '../programs/cell.ts'

/** A call as the kernel's tracepoints report it. */
export interface ObservedCall {
  /** Its C name. */
  readonly name: string
  readonly method?: string | undefined
  readonly args: readonly unknown[]
}

/** A descriptor's text: its number, with its file at the first mention: '3<pipe 5>'. */
type DescribeFd = (fd: number) => string

const longestString = 14

/** ptrace(2)'s request names, by the methods of System. */
const ptraceRequests: Readonly<Record<string, string>> = {
  ptraceStep: 'SINGLESTEP',
  ptraceGetEventMessage: 'GETEVENTMSG',
  ptraceGetRegisters: 'GETREGSET',
  ptraceSetRegisters: 'SETREGSET',
  ptraceGetRegisterSet: 'GETREGSET',
  ptraceSetRegisterSet: 'SETREGSET',
  ptraceGetSyscallInfo: 'GET_SYSCALL_INFO',
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

/** '"hello"' for short printable text of several characters, else '5 bytes'. */
function describeBytes(data: unknown): string {
  if (!(data instanceof Uint8Array)) return '…'
  const text = String.fromCharCode(...data.subarray(0, longestString + 1)).replaceAll('\n', '\\n')
  return data.length > 1 && text.length <= longestString && /^[ -~]+$/.test(text)
    ? `"${text}"`
    : countOf(data.length, 'byte')
}

function signalText(signal: unknown): string {
  return typeof signal === 'number' ? signalName(signal) : String(signal)
}

/** 'O_CLOEXEC|O_NONBLOCK': the named bits, and any others as a number. */
function flagsText(value: unknown, prefix: RegExp): string {
  let rest = Number(value ?? 0) >>> 0
  const names: string[] = []
  for (const [name, bit] of Object.entries(constants)) {
    const isOneBit = bit !== 0 && (bit & (bit - 1)) === 0
    if (!prefix.test(name) || !isOneBit || (rest & bit) === 0) continue
    names.push(name)
    rest = (rest & ~bit) >>> 0
  }
  if (rest !== 0) names.push(`0x${rest.toString(16)}`)
  return names.join('|')
}

const nameOf = (value: unknown, prefix: RegExp) =>
  Object.entries(constants).find(([name, each]) => prefix.test(name) && each === value)?.[0] ?? String(value)

const present = (...parts: string[]) => parts.filter(part => part !== '')

function describeArgs({ name, method, args }: ObservedCall, fd: DescribeFd): string[] {
  const [a, b, c] = args
  // Called only where the first argument is a descriptor: to name one introduces it.
  const first = () => (typeof a === 'number' ? fd(a) : '')
  switch (name) {
    case 'pipe2':
      return present(flagsText(a, /^O_/))
    case 'socketpair':
      return [nameOf(a, /^AF_/), socketType(Number(b))]
    case 'epoll_create1':
      return present(flagsText(a, /^EPOLL_CLOEXEC/))
    case 'read':
    case 'close':
    case 'dup':
    case 'ioctl':
      return [first()]
    case 'recv':
    case 'recvmsg':
      return present(first(), flagsText(c, /^MSG_/))
    case 'write':
      return [first(), describeBytes(b)]
    case 'send':
      return present(first(), describeBytes(b), flagsText(c, /^MSG_/))
    case 'sendmsg': {
      const { data, fds = [] } = b as { data: Uint8Array; fds?: readonly number[] }
      return present(first(), describeBytes(data), fds.length > 0 ? `fds ${fds.map(fd).join(' ')}` : '')
    }
    case 'shutdown':
      return [first(), nameOf(b, /^SHUT_/)]
    case 'dup3':
      return [first(), String(b)]
    case 'fcntl':
      if (b === constants.F_SETFL) return [first(), 'F_SETFL', flagsText(c, /^O_/) || '0']
      if (b === constants.F_SETFD) return [first(), 'F_SETFD', flagsText(c, /^FD_/) || '0']
      return present(
        first(),
        nameOf(b, /^F_(?!.*CLOEXEC$)|^F_DUPFD_CLOEXEC$/),
        c === undefined || c === 0 ? '' : String(c),
      )
    case 'getsockopt':
    case 'setsockopt':
      return present(first(), nameOf(c, /^SO_/), args[3] === undefined ? '' : String(args[3]))
    case 'poll':
      return [(a as readonly { fd: number }[]).map(each => fd(each.fd)).join(' ') || '[]', ...timeoutText(b)]
    case 'ppoll':
      return [first()]
    case 'epoll_ctl':
      return [first(), nameOf(b, /^EPOLL_CTL_/).replace('EPOLL_CTL_', ''), fd(Number(c))]
    case 'epoll_wait':
      return [first(), ...timeoutText(c)]
    case 'fork':
    case 'clone':
    case 'rt_sigprocmask':
      return []
    case 'waitpid':
      return present(String(a), flagsText(Number(b ?? 0) & ~constants.__WALL, /^_*W/))
    case 'waitid':
      return present(idText(Number(a), Number(b)), flagsText(Number(c) & ~constants.__WALL, waitidOptions))
    case 'rt_tgsigqueueinfo':
      return [String(a), String(b), signalName(new DataView((c as Uint8Array).slice().buffer).getInt32(0, true))]
    case 'kill':
      return [String(a), signalText(b)]
    case 'tgkill':
      return method === 'tgkill' ? [String(a), String(b), signalText(c)] : [signalText(a)]
    case 'pidfd_send_signal':
      return [first(), signalText(b)]
    case 'rt_sigaction':
      return [signalText(a)]
    case 'prctl':
      return prctlArgs(method === undefined ? args : ['PDEATHSIG', a])
    case 'ptrace':
      return present(ptraceRequest(method), a === undefined ? '' : String(a), ptraceDetail(method, b))
    case 'process_vm_readv':
      return [String(a), countOf(typeof c === 'number' ? c : (c as Uint8Array).length, 'byte')]
    case 'process_vm_writev':
      return [String(a), countOf((c as Uint8Array).length, 'byte')]
    case 'close_range':
      return [`all but ${(a as readonly number[]).join(' ')}`]
    case 'load':
      return [cellName(a)]
    case 'store':
      return [cellName(a), shortValue(b)]
    case 'futex':
      return ['WAIT', String((a as { readonly tid: number }).tid)]
    case 'nanosleep':
      return [`${String(a)} ms`]
    case 'execve':
    case 'chdir':
    case 'open':
    case 'openat':
      return [String(a)]
    default:
      return args.map(shortValue)
  }
}

/** A forked child's first step. A child program lists it; a generator's is not known before it runs. */
export function describeFirstStep(program: unknown): string {
  const first = typeof program === 'object' ? (program as Partial<ChildProgram> | null)?.actions?.[0]?.op : undefined
  return first === undefined ? 'its first step' : first === 'traceme' ? 'ptrace(TRACEME)' : first
}

/** Not WUNTRACED, which is WSTOPPED. */
const waitidOptions = /^_*W(?!UNTRACED)/

const idText = (idType: number, id: number) => (idType === constants.P_ALL ? 'P_ALL' : `${nameOf(idType, /^P_/)} ${id}`)

const timeoutText = (timeoutMs: unknown) => (Number(timeoutMs) < 0 ? [] : [`${String(timeoutMs)} ms`])

const cellName = (cell: unknown) => (cell instanceof Cell ? cell.name : '…')

function socketType(type: number): string {
  return present(nameOf(type & 0xf, /^SOCK_/), flagsText(type & ~0xf, /^SOCK_/)).join('|')
}

/** A program's own prctl(2) only sets the signal; those of a child program name their request first. */
function prctlArgs([request, value]: readonly unknown[]): string[] {
  const isSignal = request === 'PDEATHSIG' && value !== 0
  return present(String(request), value === undefined ? '' : isSignal ? signalText(value) : String(value))
}

function ptraceRequest(method: string | undefined): string {
  if (method === undefined || !method.startsWith('ptrace') || method === 'ptrace') return 'TRACEME'
  return ptraceRequests[method] ?? method.slice('ptrace'.length).toUpperCase()
}

const withSignal: ReadonlySet<string> = new Set(['ptraceCont', 'ptraceStep', 'ptraceSyscall', 'ptraceDetach'])

function ptraceDetail(method: string | undefined, value: unknown): string {
  if (method === undefined || value === undefined || value === 0) return ''
  if (method === 'ptraceGetRegisterSet' || method === 'ptraceSetRegisterSet') return nameOf(value, /^NT_/)
  if (method === 'ptraceSeize' || method === 'ptraceSetOptions') {
    return flagsText(value, /^PTRACE_O_/).replaceAll('PTRACE_O_', '')
  }
  if (typeof value === 'object') return '…'
  return withSignal.has(method) ? signalText(value as Signal) : String(value)
}

/** Both ends of one pipe: '3, 4<pipe 5>'. */
function bothEnds([reader, writer]: [number, number], fd: DescribeFd): string {
  fd(reader)
  return `${reader}, ${fd(writer)}`
}

function shortValue(value: unknown): string {
  if (typeof value === 'string')
    return value.length <= longestString ? `"${value}"` : `"${value.slice(0, longestString)}…"`
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  return value === null || value === undefined ? String(value) : '…'
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
