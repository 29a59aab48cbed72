/**
 * The system calls, each once: how its arguments are checked, what carries it out, and what it is called when it fails.
 *
 * The host makes them at once, a simulated program by a `yield*`; both are faces of this table.
 */

import {
  checkAddress,
  checkArray,
  checkBytes,
  checkDeliveredSignal,
  checkEpollData,
  checkInt,
  checkMask,
  checkObject,
  checkSignal,
  checkString,
  checkTimeout,
  invalidType,
  outOfRange,
} from '../../system/arguments.ts'
import { checkChildProgram } from '../../system/child-program.ts'
import { SystemError } from '../../system/errors.ts'
import { checkRegisterChanges } from '../../system/registers.ts'
import type { Signal } from '../../system/signals.ts'
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
  method: string
  /** Checks the arguments; throws what an argument of a wrong type or range deserves. */
  readonly prepare: (...args: Args) => Action
  /** What the error of a failed call tells besides the errno. */
  about(args: Args): Details
  /** What the caller gets of the result. */
  readonly finish: (result: unknown) => unknown
}

/** The calls of System that are answered at once. */
export type CallName = Exclude<keyof System, 'kind' | 'ready' | 'watch' | 'now' | 'sleep' | 'onChildChange'>

type Details = { pid?: number; path?: string; hint?: string }

export const nothing = () => undefined
const itself = (result: unknown) => result
const noDetails = (): Details => ({})
const pidFirst = ([pid]: readonly [pid: number, ...rest: unknown[]]): Details => ({ pid })

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

function tracer(prepare: (pid: number) => Action): SystemCall<[pid: number]> {
  return systemCall('ptrace', pid => prepare(checkInt(pid, 'pid')), nothing, pidFirst)
}

function resuming(how: Parameters<typeof tracing.resume>[2]): SystemCall<[pid: number, signal?: Signal | undefined]> {
  return systemCall(
    'ptrace',
    (pid: number, signal?: Signal) => {
      checkInt(pid, 'pid')
      const number = checkDeliveredSignal(signal)
      return task => tracing.resume(task, pid, how, number)
    },
    nothing,
    pidFirst,
  )
}

/** System's calls by their names there. */
export const calls: { readonly [Name in CallName]: SystemCall<Parameters<System[Name]>> } = {
  pipe2: systemCall('pipe2', (flags = 0) => {
    const mask = checkMask(flags, 'flags')
    return task => io.pipe2(task, mask)
  }),
  socketpair: systemCall('socketpair', (domain, type, protocol = 0) => {
    checkInt(domain, 'domain')
    const mask = checkMask(type, 'type')
    checkInt(protocol, 'protocol')
    return task => sockets.socketpair(task, domain, mask, protocol)
  }),
  read: systemCall('read', (fd, buffer) => {
    checkInt(fd, 'fd')
    checkBytes(buffer, 'buffer')
    return task => io.read(task, fd, buffer)
  }),
  write: systemCall('write', (fd, data) => {
    checkInt(fd, 'fd')
    checkBytes(data, 'data')
    return task => io.write(task, fd, data)
  }),
  send: systemCall('send', (fd, data, flags = 0) => {
    checkInt(fd, 'fd')
    checkBytes(data, 'data')
    const mask = checkMask(flags, 'flags')
    return task => sockets.send(task, fd, data, mask)
  }),
  recv: systemCall('recv', (fd, buffer, flags = 0) => {
    checkInt(fd, 'fd')
    checkBytes(buffer, 'buffer')
    const mask = checkMask(flags, 'flags')
    return task => sockets.recv(task, fd, buffer, mask)
  }),
  sendmsg: systemCall('sendmsg', (fd, message, flags = 0) => {
    checkInt(fd, 'fd')
    checkObject(message, 'message')
    const data = checkBytes(message.data, 'message.data')
    const fds = Array.from(checkArray(message.fds ?? [], 'message.fds'), each => checkInt(each, 'message.fds'))
    const mask = checkMask(flags, 'flags')
    return task => sockets.sendmsg(task, fd, data, fds, mask)
  }),
  recvmsg: systemCall('recvmsg', (fd, into, flags = 0) => {
    checkInt(fd, 'fd')
    checkObject(into, 'into')
    const buffer = checkBytes(into.buffer, 'into.buffer')
    const maxFds = checkInt(into.maxFds ?? 0, 'into.maxFds')
    if (maxFds < 0) throw outOfRange('into.maxFds', '>= 0', maxFds)
    const mask = checkMask(flags, 'flags')
    return task => sockets.recvmsg(task, fd, buffer, maxFds, mask)
  }),
  shutdown: systemCall(
    'shutdown',
    (fd, how) => {
      checkInt(fd, 'fd')
      checkInt(how, 'how')
      return task => sockets.shutdown(task, fd, how)
    },
    nothing,
  ),
  close: systemCall(
    'close',
    fd => {
      checkInt(fd, 'fd')
      return task => io.close(task, fd)
    },
    nothing,
  ),
  dup: systemCall('dup', fd => {
    checkInt(fd, 'fd')
    return task => io.dup(task, fd)
  }),
  dup3: systemCall('dup3', (fd, target, flags = 0) => {
    checkInt(fd, 'fd')
    checkInt(target, 'target')
    const mask = checkMask(flags, 'flags')
    return task => io.dup3(task, fd, target, mask)
  }),
  fcntl: systemCall('fcntl', (fd, command, argument = 0) => {
    checkInt(fd, 'fd')
    checkInt(command, 'command')
    const value = checkMask(argument, 'argument') | 0
    return task => io.fcntl(task, fd, command, value)
  }),
  getsockopt: systemCall(
    'getsockopt',
    (fd, level, option) => {
      checkInt(fd, 'fd')
      checkInt(level, 'level')
      checkInt(option, 'option')
      return task => sockets.getsockopt(task, fd, level, option)
    },
    result => (result as [value: number])[0],
  ),
  setsockopt: systemCall(
    'setsockopt',
    (fd, level, option, value) => {
      checkInt(fd, 'fd')
      checkInt(level, 'level')
      checkInt(option, 'option')
      const number = checkMask(value, 'value') | 0
      return task => sockets.setsockopt(task, fd, level, option, number)
    },
    nothing,
  ),
  bytesReadable: systemCall('ioctl', fd => {
    checkInt(fd, 'fd')
    return task => io.bytesReadable(task, fd)
  }),
  poll: systemCall('poll', (fds, timeoutMs) => {
    const requests = Array.from(checkArray(fds, 'fds'), (each, i) => {
      const request = checkObject(each, `fds[${i}]`)
      const fd = checkInt(request.fd, `fds[${i}].fd`)
      return { fd, events: checkMask(request.events, `fds[${i}].events`) }
    })
    const timeout = checkTimeout(timeoutMs)
    return task => polling.poll(task, requests, timeout)
  }),
  epollCreate1: systemCall('epoll_create1', (flags = 0) => {
    const mask = checkMask(flags, 'flags')
    return task => polling.epollCreate1(task, mask)
  }),
  epollCtl: systemCall(
    'epoll_ctl',
    (epfd, op, fd, event) => {
      checkInt(epfd, 'epfd')
      checkInt(op, 'op')
      checkInt(fd, 'fd')
      if (event !== undefined) checkObject(event, 'event')
      const given = event && {
        events: checkMask(event.events, 'event.events'),
        data: checkEpollData(event.data, 'event.data'),
      }
      return task => polling.epollCtl(task, epfd, op, fd, given)
    },
    nothing,
  ),
  epollWait: systemCall('epoll_wait', (epfd, maxEvents, timeoutMs) => {
    checkInt(epfd, 'epfd')
    checkInt(maxEvents, 'maxEvents')
    const timeout = checkTimeout(timeoutMs)
    return task => polling.epollWait(task, epfd, maxEvents, timeout)
  }),
  writeFile: systemCall(
    'open',
    (path, text) => {
      checkString(path, 'path')
      if (typeof text !== 'string') throw invalidType('text', 'of type string', text)
      return task => own.writeFile(task, path)
    },
    nothing,
    ([path]) => ({ path }),
  ),
  fork: systemCall('fork', program => {
    const checked = checkChildProgram(program)
    return task => forkChildProgram(task, checked)
  }),
  waitpid: systemCall(
    'waitpid',
    (pid, options = 0) => {
      checkInt(pid, 'pid')
      const mask = checkMask(options, 'options')
      return task => waitForChild(task, pid, mask)
    },
    itself,
    pidFirst,
  ),
  kill: systemCall(
    'kill',
    (pid, signal) => {
      checkInt(pid, 'pid')
      const number = checkSignal(signal)
      return task => others.kill(task, pid, number)
    },
    nothing,
    pidFirst,
  ),
  tgkill: systemCall(
    'tgkill',
    (pid, tid, signal) => {
      checkInt(pid, 'pid')
      checkInt(tid, 'tid')
      const number = checkSignal(signal)
      return task => others.tgkill(task, pid, tid, number)
    },
    nothing,
    pidFirst,
  ),
  ptraceCont: resuming('cont'),
  ptraceStep: resuming('step'),
  ptraceSyscall: resuming('syscall'),
  ptraceDetach: systemCall(
    'ptrace',
    (pid, signal) => {
      checkInt(pid, 'pid')
      const number = checkDeliveredSignal(signal)
      return task => tracing.detach(task, pid, number)
    },
    nothing,
    pidFirst,
  ),
  ptraceSeize: systemCall(
    'ptrace',
    (pid, options) => {
      checkInt(pid, 'pid')
      const mask = checkMask(options, 'options')
      return task => tracing.attach(task, pid, true, mask)
    },
    nothing,
    pidFirst,
  ),
  ptraceAttach: tracer(pid => task => tracing.attach(task, pid, false)),
  ptraceInterrupt: tracer(pid => task => tracing.interrupt(task, pid)),
  ptraceListen: tracer(pid => task => tracing.listen(task, pid)),
  ptraceSetOptions: systemCall(
    'ptrace',
    (pid, options) => {
      checkInt(pid, 'pid')
      const mask = checkMask(options, 'options')
      return task => tracing.setOptions(task, pid, mask)
    },
    nothing,
    pidFirst,
  ),
  ptraceGetEventMessage: { ...tracer(pid => task => others.eventMessage(task, pid)), finish: itself },
  ptraceGetSigInfo: { ...tracer(pid => task => others.signalInfo(task, pid)), finish: itself },
  ptraceGetRegisters: { ...tracer(pid => task => others.getRegisters(task, pid)), finish: itself },
  ptraceSetRegisters: systemCall(
    'ptrace',
    (pid, registers) => {
      checkInt(pid, 'pid')
      const changes = checkRegisterChanges(registers)
      return task => others.setRegisters(task, pid, changes)
    },
    // Whether a name is one of the tracee's registers is known only once the tracee is.
    refusal => {
      if (refusal instanceof Error) throw refusal
    },
    pidFirst,
  ),
  ptraceGetSigMask: { ...tracer(pid => task => tracing.getMask(task, pid)), finish: itself },
  ptraceSetSigMask: systemCall(
    'ptrace',
    (pid, signals) => {
      checkInt(pid, 'pid')
      const numbers = Array.from(checkArray(signals, 'signals'), each => {
        const number = checkSignal(each, 'signals')
        if (number < 1 || number > 64) throw outOfRange('signals', 'a signal from 1 to 64', each)
        return number
      })
      return task => tracing.setMask(task, pid, numbers)
    },
    nothing,
    pidFirst,
  ),
  readMemory: systemCall(
    'process_vm_readv',
    (pid, address, length) => {
      checkInt(pid, 'pid')
      checkAddress(address)
      if (checkInt(length, 'length') < 0) throw outOfRange('length', '>= 0', length)
      return task => others.readMemory(task, pid, address, length)
    },
    itself,
    pidFirst,
  ),
  writeMemory: systemCall(
    'process_vm_writev',
    (pid, address, data) => {
      checkInt(pid, 'pid')
      checkAddress(address)
      checkBytes(data, 'data')
      return task => others.writeMemory(task, pid, address, data)
    },
    itself,
    pidFirst,
  ),
}

for (const [method, call] of Object.entries(calls)) call.method = method
