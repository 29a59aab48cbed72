/**
 * The table of system calls: for each its implementation, and its name in errors.
 *
 * The host makes these calls directly, a simulated program by `yield*`. Both are faces of this table.
 */

import type { CallName, CheckedArguments } from '../../system/calls.ts'
import { CheckedCalls } from '../../system/checked-calls.ts'
import { constants } from '../../system/constants.ts'
import { SystemError } from '../../system/errors.ts'
import type { System } from '../../system/system.ts'
import { ENOENT } from '../base/results.ts'
import type { Action, CallRow, Task, WordsOf } from '../processes/task.ts'
import { whyRefused } from '../processes/trace-refusal.ts'
import * as tracing from '../processes/tracing.ts'
import { waitForChange, waitForChild, withoutUsage } from '../processes/wait-child.ts'
import { forkChildProgram } from './child-program-interpreter.ts'
import * as io from './descriptors.ts'
import * as kills from './kill.ts'
import * as own from './own-process.ts'
import * as polling from './polling.ts'
import { requireSimulated } from './settings.ts'
import * as signals from './signal-info.ts'
import * as sockets from './sockets.ts'
import { systemWords } from './syscall-arguments.ts'
import { syscallInfo } from './syscall-info.ts'
import * as tracees from './tracee-state.ts'

/** One system call. */
export interface SystemCall<Args extends unknown[], Result = unknown> extends CallRow {
  /** The method of System or of SimulatedProcess. Several methods are requests of ptrace(2). */
  readonly method: string
  /** Checks the arguments. Throws for a wrong type or range. */
  readonly prepare: (...args: Args) => Action
  /** The details of a failed call's error, besides the errno. */
  about(args: Args): Details
  /** Converts the kernel's result to the caller's. */
  readonly finish: (result: unknown) => Result
}

type Details = { pid?: number; path?: string; hint?: string | undefined }

export const nothing = () => undefined
const itself = (result: unknown) => result
/** The kernel's result is the caller's. */
export const returns = <Result>() => itself as (result: unknown) => Result
const noDetails = (): Details => ({})

/** Defines a call by its method, its name in C and its argument registers. */
export function systemCall<Args extends unknown[], Result>(
  method: string,
  name: string,
  prepare: (...args: Args) => Action,
  words: WordsOf<NoInfer<Args>>,
  finish: (result: unknown) => Result,
  about: (args: NoInfer<Args>) => Details = noDetails,
): SystemCall<Args, Result> {
  return { name, method, words: words as WordsOf<readonly unknown[]>, prepare, about, finish }
}

/** The error of a task's failed call. */
export function failure<Args extends unknown[]>(
  task: Task,
  call: SystemCall<Args>,
  errno: number,
  args: Args,
): SystemError {
  const details = call.about(args)
  if (call.name === 'ptrace') details.hint = whyRefused(task, call.method, errno, details.pid!)
  else if (errno !== -ENOENT) details.hint = undefined
  return new SystemError({ errno, syscall: call.name, ...details })
}

/** Each call's effect on the calling task. The arguments are already checked. */
const actions: { readonly [Name in CallName]: (...args: CheckedArguments<Name>) => Action } = {
  pipe2: flags => task => io.pipe2(task, flags),
  socketpair: (domain, type, protocol) => task => sockets.socketpair(task, domain, type, protocol),
  read: (fd, buffer) => task => io.read(task, fd, buffer),
  write: (fd, data) => task => io.write(task, fd, data),
  send: (fd, data, flags) => task => sockets.send(task, fd, data, flags),
  recv: (fd, buffer, flags) => task => sockets.recv(task, fd, buffer, flags),
  sendmsg: (fd, data, fds, flags) => task => sockets.sendmsg(task, fd, data, fds, flags),
  recvmsg: (fd, buffer, maxFds, flags) => task => sockets.recvmsg(task, fd, buffer, maxFds, flags),
  shutdown: (fd, how) => task => sockets.shutdown(task, fd, how),
  close: fd => task => io.close(task, fd),
  dup: fd => task => io.dup(task, fd),
  dup3: (fd, target, flags) => task => io.dup3(task, fd, target, flags),
  fcntl: (fd, command, argument) => task => io.fcntl(task, fd, command, argument),
  getsockopt: (fd, level, option) => task => sockets.getsockopt(task, fd, level, option),
  setsockopt: (fd, level, option, value) => task => sockets.setsockopt(task, fd, level, option, value),
  bytesReadable: fd => task => io.bytesReadable(task, fd),
  writeFile: path => task => own.writeFile(task, path),
  openpty: () => () => -ENOENT,
  setWindowSize: fd => task => io.setWindowSize(task, fd),

  poll: (requests, timeoutMs) => task => polling.poll(task, requests, timeoutMs),
  epollCreate1: flags => task => polling.epollCreate1(task, flags),
  epollCtl: (epfd, op, fd, event) => task => polling.epollCtl(task, epfd, op, fd, event),
  epollWait: (epfd, maxEvents, timeoutMs) => task => polling.epollWait(task, epfd, maxEvents, timeoutMs),

  fork: program => {
    requireSimulated(program)
    return task => forkChildProgram(task, program)
  },
  waitpid: (pid, options) => task => waitForChild(task, pid, options),
  kill: (pid, signal) => task => kills.kill(task, pid, signal),
  waitid: (idType, id, options) => task => waitForChange(task, idType, id, options),
  tgsigqueueinfo: (pid, tid, siginfo) => task => signals.queueForThread(task, pid, tid, siginfo),
  tgkill: (pid, tid, signal) => task => kills.tgkill(task, pid, tid, signal),

  ptraceCont: (pid, signal) => task => tracing.resume(task, pid, 'cont', signal),
  ptraceStep: (pid, signal) => task => tracing.resume(task, pid, 'step', signal),
  ptraceSyscall: (pid, signal) => task => tracing.resume(task, pid, 'syscall', signal),
  ptraceDetach: (pid, signal) => task => tracing.detach(task, pid, signal),
  ptraceSeize: (pid, options) => task => tracing.attach(task, pid, true, options),
  ptraceAttach: pid => task => tracing.attach(task, pid, false),
  ptraceInterrupt: pid => task => tracing.interrupt(task, pid),
  ptraceListen: pid => task => tracing.listen(task, pid),
  ptraceSetOptions: (pid, options) => task => tracing.setOptions(task, pid, options),
  ptraceGetEventMessage: pid => task => tracees.eventMessage(task, pid),
  ptraceGetSigInfo: pid => task => signals.signalInfo(task, pid),
  ptraceSetSigInfo: (pid, siginfo) => task => signals.setSignalInfo(task, pid, siginfo),
  ptracePeekSigInfo: (pid, offset, count, flags) => task => signals.peekSignals(task, pid, offset, count, flags),
  ptraceGetRegisterSet: (tid, type) => task => tracees.getRegisterSet(task, tid, type),
  ptraceSetRegisterSet: (tid, type, bytes) => task => tracees.setRegisterSet(task, tid, type, bytes),
  ptracePeekUser: tid => task => tracees.noUserArea(task, tid),
  ptracePokeUser: tid => task => tracees.noUserArea(task, tid),
  ptraceGetSyscallInfo: tid => task => syscallInfo(task, tid),
  ptraceGetRegisters: pid => task => tracees.getRegisters(task, pid),
  ptraceSetRegisters: (pid, changes) => task => tracees.setRegisters(task, pid, changes),
  ptraceGetSigMask: pid => task => tracees.getMask(task, pid),
  ptraceSetSigMask: (pid, signals) => task => tracees.setMask(task, pid, signals),
  readMemory: (pid, address, into) => task => tracees.readMemory(task, pid, address, into),
  writeMemory: (pid, address, data) => task => tracees.writeMemory(task, pid, address, data),
}

/** System call names in C, for errors, if they differ from the method's name. */
const namesInC: { readonly [Name in CallName]?: string } = {
  bytesReadable: 'ioctl',
  writeFile: 'open',
  setWindowSize: 'ioctl',
  epollCreate1: 'epoll_create1',
  epollCtl: 'epoll_ctl',
  epollWait: 'epoll_wait',
  readMemory: 'process_vm_readv',
  writeMemory: 'process_vm_writev',
  tgsigqueueinfo: 'rt_tgsigqueueinfo',
}

/** Conversions of results, if the caller's differs from the kernel's. */
const finishes: { readonly [Name in CallName]?: (result: unknown) => unknown } = {
  shutdown: nothing,
  close: nothing,
  getsockopt: result => (result as [value: number])[0],
  setsockopt: nothing,
  writeFile: nothing,
  setWindowSize: nothing,
  epollCtl: nothing,
  waitid: withoutUsage,
  kill: nothing,
  tgkill: nothing,
  tgsigqueueinfo: nothing,
  ptraceSetSigInfo: nothing,
  ptraceSetRegisterSet: nothing,
  ptracePokeUser: nothing,
  ptraceCont: nothing,
  ptraceStep: nothing,
  ptraceSyscall: nothing,
  ptraceDetach: nothing,
  ptraceSeize: nothing,
  ptraceAttach: nothing,
  ptraceInterrupt: nothing,
  ptraceListen: nothing,
  ptraceSetOptions: nothing,
  // Register names depend on the tracee's architecture, so their check happens in the kernel.
  ptraceSetRegisters: refusal => {
    if (refusal instanceof Error) throw refusal
  },
  ptraceSetSigMask: nothing,
}

// As on a Linux without devpts.
const noTerminals = (): Details => ({ path: '/dev/ptmx', hint: 'the simulated system has no terminals' })
const pathFirst = ([path]: readonly unknown[]): Details => ({ path: path as string })
const pidFirst = ([pid]: readonly unknown[]): Details => ({ pid: pid as number })
const pidOfWaitid = ([idType, id]: readonly unknown[]): Details =>
  idType === constants.P_PID ? { pid: id as number } : {}
const detailsOf: { readonly [Name in CallName]?: (args: readonly unknown[]) => Details } = {
  writeFile: pathFirst,
  waitid: pidOfWaitid,
  openpty: noTerminals,
}
const aboutPids = new Set<string>([
  'waitpid',
  'kill',
  'tgkill',
  'tgsigqueueinfo',
  'readMemory',
  'writeMemory',
] satisfies CallName[])

const checked = new CheckedCalls<Record<CallName, Action>>({
  descriptors: actions,
  readiness: actions,
  processes: actions,
  tracing: actions,
})

function rowOf(method: CallName): SystemCall<unknown[]> {
  const isRequest = method.startsWith('ptrace')
  return {
    name: namesInC[method] ?? (isRequest ? 'ptrace' : method),
    method,
    words: systemWords[method] as WordsOf<readonly unknown[]>,
    prepare: checked[method].bind(checked) as (...args: unknown[]) => Action,
    finish: finishes[method] ?? itself,
    about: detailsOf[method] ?? (isRequest || aboutPids.has(method) ? pidFirst : noDetails),
  }
}

/** The calls by the names of System's methods. */
export const calls = Object.fromEntries(
  (Object.keys(actions) as CallName[]).map(method => [method, rowOf(method)]),
) as unknown as { readonly [Name in CallName]: SystemCall<Parameters<System[Name]>, ReturnType<System[Name]>> }
