/**
 * The system calls, each once: what carries it out, and what it is called when it fails.
 *
 * The host makes them at once, a simulated program by a `yield*`; both are faces of this table.
 */

import { type CallName, type CheckedArguments, CheckedCalls } from '../../system/checked-calls.ts'
import { SystemError } from '../../system/errors.ts'
import type { System } from '../../system/system.ts'
import type { Action, CallRow } from '../processes/task.ts'
import * as tracing from '../processes/tracing.ts'
import { waitForChild } from '../processes/wait-child.ts'
import { forkChildProgram } from './child-program-interpreter.ts'
import * as io from './descriptors.ts'
import * as others from './other-processes.ts'
import * as own from './own-process.ts'
import * as polling from './polling.ts'
import * as sockets from './sockets.ts'

/** One system call. */
export interface SystemCall<Args extends unknown[]> extends CallRow {
  /** System's name of it: several methods are requests of ptrace(2). */
  readonly method: string
  /** Checks the arguments; throws what an argument of a wrong type or range deserves. */
  readonly prepare: (...args: Args) => Action
  /** What the error of a failed call tells besides the errno. */
  about(args: Args): Details
  /** What the caller gets of the result. */
  readonly finish: (result: unknown) => unknown
}

type Details = { pid?: number; path?: string; hint?: string }

export const nothing = () => undefined
const itself = (result: unknown) => result
const noDetails = (): Details => ({})

/** Defines a call. */
export function systemCall<Args extends unknown[]>(
  name: string,
  prepare: (...args: Args) => Action,
  finish: (result: unknown) => unknown = itself,
  about: (args: NoInfer<Args>) => Details = noDetails,
): SystemCall<Args> {
  return { name, method: name, prepare, about, finish }
}

/** The error of a failed call. */
export function failure<Args extends unknown[]>(call: SystemCall<Args>, errno: number, args: Args): SystemError {
  return new SystemError({ errno, syscall: call.name, ...call.about(args) })
}

/** What each call does to the task that makes it, its arguments checked. */
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

  poll: (requests, timeoutMs) => task => polling.poll(task, requests, timeoutMs),
  epollCreate1: flags => task => polling.epollCreate1(task, flags),
  epollCtl: (epfd, op, fd, event) => task => polling.epollCtl(task, epfd, op, fd, event),
  epollWait: (epfd, maxEvents, timeoutMs) => task => polling.epollWait(task, epfd, maxEvents, timeoutMs),

  fork: program => task => forkChildProgram(task, program),
  waitpid: (pid, options) => task => waitForChild(task, pid, options),
  kill: (pid, signal) => task => others.kill(task, pid, signal),
  tgkill: (pid, tid, signal) => task => others.tgkill(task, pid, tid, signal),

  ptraceCont: (pid, signal) => task => tracing.resume(task, pid, 'cont', signal),
  ptraceStep: (pid, signal) => task => tracing.resume(task, pid, 'step', signal),
  ptraceSyscall: (pid, signal) => task => tracing.resume(task, pid, 'syscall', signal),
  ptraceDetach: (pid, signal) => task => tracing.detach(task, pid, signal),
  ptraceSeize: (pid, options) => task => tracing.attach(task, pid, true, options),
  ptraceAttach: pid => task => tracing.attach(task, pid, false),
  ptraceInterrupt: pid => task => tracing.interrupt(task, pid),
  ptraceListen: pid => task => tracing.listen(task, pid),
  ptraceSetOptions: (pid, options) => task => tracing.setOptions(task, pid, options),
  ptraceGetEventMessage: pid => task => others.eventMessage(task, pid),
  ptraceGetSigInfo: pid => task => others.signalInfo(task, pid),
  ptraceGetRegisters: pid => task => others.getRegisters(task, pid),
  ptraceSetRegisters: (pid, changes) => task => others.setRegisters(task, pid, changes),
  ptraceGetSigMask: pid => task => tracing.getMask(task, pid),
  ptraceSetSigMask: (pid, signals) => task => tracing.setMask(task, pid, signals),
  readMemory: (pid, address, length) => task => others.readMemory(task, pid, address, length),
  writeMemory: (pid, address, data) => task => others.writeMemory(task, pid, address, data),
}

/** The C names of the calls whose names are others there: the system call that an error names. */
const namesInC: { readonly [Name in CallName]?: string } = {
  bytesReadable: 'ioctl',
  writeFile: 'open',
  epollCreate1: 'epoll_create1',
  epollCtl: 'epoll_ctl',
  epollWait: 'epoll_wait',
  readMemory: 'process_vm_readv',
  writeMemory: 'process_vm_writev',
}

/** What the caller gets, where that is not the result itself. */
const finishes: { readonly [Name in CallName]?: (result: unknown) => unknown } = {
  shutdown: nothing,
  close: nothing,
  getsockopt: result => (result as [value: number])[0],
  setsockopt: nothing,
  writeFile: nothing,
  epollCtl: nothing,
  kill: nothing,
  tgkill: nothing,
  ptraceCont: nothing,
  ptraceStep: nothing,
  ptraceSyscall: nothing,
  ptraceDetach: nothing,
  ptraceSeize: nothing,
  ptraceAttach: nothing,
  ptraceInterrupt: nothing,
  ptraceListen: nothing,
  ptraceSetOptions: nothing,
  // Whether a name is one of the tracee's registers is known only once the tracee is.
  ptraceSetRegisters: refusal => {
    if (refusal instanceof Error) throw refusal
  },
  ptraceSetSigMask: nothing,
}

const pathFirst = ([path]: readonly unknown[]): Details => ({ path: path as string })
const pidFirst = ([pid]: readonly unknown[]): Details => ({ pid: pid as number })
const aboutPids = new Set<string>(['waitpid', 'kill', 'tgkill', 'readMemory', 'writeMemory'] satisfies CallName[])

const checked = new CheckedCalls<Record<CallName, Action>>(actions)

function rowOf(method: CallName): SystemCall<unknown[]> {
  const isRequest = method.startsWith('ptrace')
  return {
    name: namesInC[method] ?? (isRequest ? 'ptrace' : method),
    method,
    prepare: checked[method].bind(checked) as (...args: unknown[]) => Action,
    finish: finishes[method] ?? itself,
    about: method === 'writeFile' ? pathFirst : isRequest || aboutPids.has(method) ? pidFirst : noDetails,
  }
}

/** System's calls by their names there. */
export const calls = Object.fromEntries(
  (Object.keys(actions) as CallName[]).map(method => [method, rowOf(method)]),
) as unknown as { readonly [Name in CallName]: SystemCall<Parameters<System[Name]>> }
