/**
 * The argument registers of each call, in the order of Linux: descriptors, numbers, lengths and flags. Addresses are
 * zero, since simulated programs have none to give.
 */

import type { CallName } from '../../system/calls.ts'
import { constants } from '../../system/constants.ts'
import { type Signal, signalNumber } from '../../system/signals.ts'
import { syscallInfoBytes } from '../../system/syscall-info.ts'
import type { System } from '../../system/system.ts'
import type { Word, WordsOf } from '../processes/task.ts'
import type { ChildCalls } from './child-calls.ts'
import { signalIn } from './signal-info.ts'

/** sizeof of the kernel's signal set. */
export const signalSetBytes = 8
export const AT_FDCWD = -100
const FIONREAD = 0x541b
const TIOCSWINSZ = 0x5414
const address = 0

/** A signal's number. */
export const signalWord = (signal: Signal | undefined): Word =>
  typeof signal === 'string' ? signalNumber(signal) : signal

const timeoutWord = (ms: number): Word => (Number.isFinite(ms) ? Math.ceil(ms) : -1)

const request = (number: number, pid: number, at: Word = address, data: Word = address) => [number, pid, at, data]
const resuming =
  (number: number): WordsOf<readonly [pid: number, signal?: Signal | undefined]> =>
  ([pid, signal]) =>
    request(number, pid, address, signalWord(signal))
const simple =
  (number: number): WordsOf<readonly [pid: number, ...others: unknown[]]> =>
  ([pid]) =>
    request(number, pid)

/** The calls of System. A call without a row does not compile. */
export const systemWords: { readonly [Name in CallName]: WordsOf<Parameters<System[Name]>> } = {
  pipe2: ([flags]) => [address, flags],
  socketpair: ([domain, type, protocol]) => [domain, type, protocol],
  read: ([fd, buffer]) => [fd, address, buffer.length],
  write: ([fd, data]) => [fd, address, data.length],
  send: ([fd, data, flags]) => [fd, address, data.length, flags],
  recv: ([fd, buffer, flags]) => [fd, address, buffer.length, flags],
  sendmsg: ([fd, , flags]) => [fd, address, flags],
  recvmsg: ([fd, , flags]) => [fd, address, flags],
  shutdown: ([fd, how]) => [fd, how],
  close: ([fd]) => [fd],
  dup: ([fd]) => [fd],
  dup3: ([fd, target, flags]) => [fd, target, flags],
  fcntl: ([fd, command, argument]) => [fd, command, argument],
  getsockopt: ([fd, level, option]) => [fd, level, option],
  setsockopt: ([fd, level, option]) => [fd, level, option, address, 4],
  bytesReadable: ([fd]) => [fd, FIONREAD],
  writeFile: () => [address, constants.O_WRONLY | constants.O_CLOEXEC],
  openpty: () => [address, constants.O_RDWR | constants.O_NOCTTY],
  setWindowSize: ([fd]) => [fd, TIOCSWINSZ],

  poll: ([requests, timeoutMs]) => [address, requests.length, timeoutWord(timeoutMs)],
  epollCreate1: ([flags]) => [flags],
  epollCtl: ([epfd, op, fd]) => [epfd, op, fd],
  epollWait: ([epfd, maxEvents, timeoutMs]) => [epfd, address, maxEvents, timeoutWord(timeoutMs)],

  fork: () => [],
  waitpid: ([pid, options]) => [pid, address, options],
  waitid: ([idType, id, options]) => [idType, id, address, options],
  kill: ([pid, signal]) => [pid, signalWord(signal)],
  tgkill: ([pid, tid, signal]) => [pid, tid, signalWord(signal)],
  tgsigqueueinfo: ([pid, tid, siginfo]) => [pid, tid, signalIn(siginfo)],

  ptraceCont: resuming(constants.PTRACE_CONT),
  ptraceStep: resuming(constants.PTRACE_SINGLESTEP),
  ptraceSyscall: resuming(constants.PTRACE_SYSCALL),
  ptraceDetach: resuming(constants.PTRACE_DETACH),
  ptraceSeize: ([pid, options]) => request(constants.PTRACE_SEIZE, pid, address, options),
  ptraceAttach: simple(constants.PTRACE_ATTACH),
  ptraceInterrupt: simple(constants.PTRACE_INTERRUPT),
  ptraceListen: simple(constants.PTRACE_LISTEN),
  ptraceSetOptions: ([pid, options]) => request(constants.PTRACE_SETOPTIONS, pid, address, options),
  ptraceGetEventMessage: simple(constants.PTRACE_GETEVENTMSG),
  ptraceGetSigInfo: simple(constants.PTRACE_GETSIGINFO),
  ptraceSetSigInfo: simple(constants.PTRACE_SETSIGINFO),
  ptracePeekSigInfo: simple(constants.PTRACE_PEEKSIGINFO),
  ptraceGetRegisters: ([pid]) => request(constants.PTRACE_GETREGSET, pid, constants.NT_PRSTATUS),
  ptraceSetRegisters: ([pid]) => request(constants.PTRACE_SETREGSET, pid, constants.NT_PRSTATUS),
  ptraceGetRegisterSet: ([tid, type]) => request(constants.PTRACE_GETREGSET, tid, type),
  ptraceSetRegisterSet: ([tid, type]) => request(constants.PTRACE_SETREGSET, tid, type),
  ptracePeekUser: ([tid, offset]) => request(constants.PTRACE_PEEKUSER, tid, offset),
  ptracePokeUser: ([tid, offset]) => request(constants.PTRACE_POKEUSER, tid, offset),
  ptraceGetSyscallInfo: ([tid]) => request(constants.PTRACE_GET_SYSCALL_INFO, tid, syscallInfoBytes),
  ptraceGetSigMask: ([pid]) => request(constants.PTRACE_GETSIGMASK, pid, signalSetBytes),
  ptraceSetSigMask: ([pid]) => request(constants.PTRACE_SETSIGMASK, pid, signalSetBytes),
  readMemory: ([pid]) => [pid, address, 1, address, 1],
  writeMemory: ([pid]) => [pid, address, 1, address, 1],
}

const prctlRequests = { PDEATHSIG: 1, PTRACER: 0x59616d61, NO_NEW_PRIVS: 38 } as const
const ADDR_NO_RANDOMIZE = 0x40000
const SIG_SETMASK = 2

/** The calls of a child program, by their names in C. A call without a row does not compile. */
const childWords: { readonly [Name in keyof ChildCalls]: WordsOf<ChildCalls[Name]> } = {
  ptrace: () => [constants.PTRACE_TRACEME],
  read: ([fd]) => [fd],
  write: ([fd, data]) => [fd, address, data.length],
  close: ([fd]) => [fd],
  close_range: () => [],
  dup3: ([fd, target]) => [fd, target],
  fcntl: ([fd, command, argument]) => [fd, command, argument],
  ppoll: () => [address, 1, address, address, signalSetBytes],
  openat: ([, flags]) => [AT_FDCWD, address, flags],
  chdir: () => [],
  execve: () => [],
  exit_group: ([code]) => [code],
  getppid: () => [],
  setsid: () => [],
  setpgid: ([group]) => [0, group],
  prctl: ([which, value]) => [prctlRequests[which], value ?? 1],
  tgkill: ([signal], task) => [task.process.id, task.tid, signal],
  rt_sigaction: ([signal]) => [signal, address, address, signalSetBytes],
  rt_sigprocmask: () => [SIG_SETMASK, address, address, signalSetBytes],
  umask: ([mask]) => [mask],
  prlimit64: () => [],
  setpriority: ([nice]) => [0, 0, nice],
  sched_setaffinity: () => [],
  personality: ([isOn]) => [isOn ? 0 : ADDR_NO_RANDOMIZE],
}

/** The argument registers of a call that no method makes, by its name. */
export function childWordsOf(name: string): WordsOf<readonly unknown[]> | undefined {
  return (childWords as Readonly<Record<string, WordsOf<never>>>)[name] as WordsOf<readonly unknown[]> | undefined
}
