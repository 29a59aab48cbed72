/**
 * The arguments of System's calls, checked once for every System: their types, their names in errors, their defaults.
 *
 * A System supplies implementations and gets the public methods. Each method is written out: a loop over argument
 * descriptions would cost a short call more than its system call does.
 */

import {
  checkAddress,
  checkAreaToRead,
  checkBytes,
  checkDeliveredSignal,
  checkEpollEvent,
  checkFields,
  checkInt,
  checkIntItem,
  checkList,
  checkMask,
  checkNotNegative,
  checkPollRequest,
  checkSiginfo,
  checkSignal,
  checkSignalOfSet,
  checkString,
  checkText,
  checkTimeout,
  checkWindowSize,
} from './arguments.ts'
import { checkChildProgram } from './check-child-program.ts'
import type { ChildProgram } from './child-program.ts'
import { type CheckedChanges, checkRegisterChanges, type RegisterChanges } from './registers.ts'
import type { Signal } from './signals.ts'
import type { EpollEvent, MessageRoom, OutgoingMessage, PollRequest, System, WindowSize } from './system.ts'

/** System's synchronous calls. awaited-arguments.ts checks the asynchronous ones. */
export type CallName = Exclude<keyof System, 'kind' | 'ready' | 'watch' | 'now' | 'sleep' | 'onChildChange'>

/** Calls whose implementation takes other arguments than the public method. */
interface OtherArguments {
  sendmsg: [fd: number, data: Uint8Array, fds: readonly number[], flags: number]
  recvmsg: [fd: number, buffer: Uint8Array, maxFds: number, flags: number]
  epollCtl: [epfd: number, op: number, fd: number, event: EpollEvent | undefined]
  openpty: [rows: number, columns: number]
  setWindowSize: [fd: number, rows: number, columns: number]
  kill: [pid: number, signal: number]
  tgkill: [pid: number, tid: number, signal: number]
  ptraceCont: [pid: number, signal: number]
  ptraceStep: [pid: number, signal: number]
  ptraceSyscall: [pid: number, signal: number]
  ptraceDetach: [pid: number, signal: number]
  ptraceSetRegisters: [pid: number, changes: CheckedChanges]
  ptraceSetSigMask: [pid: number, signals: readonly number[]]
}

/**
 * The arguments that an implementation receives: defaults filled in, masks unsigned, signals as numbers, timeouts in
 * whole milliseconds.
 */
export type CheckedArguments<Name extends CallName> = Name extends keyof OtherArguments
  ? OtherArguments[Name]
  : Required<Parameters<System[Name]>>

/** The implementations of calls. Their arguments are already checked. */
export type Calls<Results extends Record<Names, unknown>, Names extends CallName = CallName> = {
  readonly [Name in Names]: (...args: CheckedArguments<Name>) => Results[Name]
}

/** The result type of each of System's calls. */
export type SystemResults = { [Name in CallName]: ReturnType<System[Name]> }

const messageFields = ['data', 'fds'] as const
const roomFields = ['buffer', 'maxFds'] as const
const noSize: WindowSize = { rows: 0, columns: 0 }

/** System's public methods, over their implementations. */
export class CheckedCalls<Results extends Record<CallName, unknown>> {
  readonly #calls: Calls<Results>

  constructor(calls: Calls<Results>) {
    this.#calls = calls
  }

  pipe2(flags = 0): Results['pipe2'] {
    return this.#calls.pipe2(checkMask(flags, 'flags'))
  }

  socketpair(domain: number, type: number, protocol = 0): Results['socketpair'] {
    return this.#calls.socketpair(checkInt(domain, 'domain'), checkMask(type, 'type'), checkInt(protocol, 'protocol'))
  }

  read(fd: number, buffer: Uint8Array): Results['read'] {
    return this.#calls.read(checkInt(fd, 'fd'), checkBytes(buffer, 'buffer'))
  }

  write(fd: number, data: Uint8Array): Results['write'] {
    return this.#calls.write(checkInt(fd, 'fd'), checkBytes(data, 'data'))
  }

  send(fd: number, data: Uint8Array, flags = 0): Results['send'] {
    return this.#calls.send(checkInt(fd, 'fd'), checkBytes(data, 'data'), checkMask(flags, 'flags'))
  }

  recv(fd: number, buffer: Uint8Array, flags = 0): Results['recv'] {
    return this.#calls.recv(checkInt(fd, 'fd'), checkBytes(buffer, 'buffer'), checkMask(flags, 'flags'))
  }

  sendmsg(fd: number, message: OutgoingMessage, flags = 0): Results['sendmsg'] {
    checkInt(fd, 'fd')
    const { data, fds = [] } = checkFields(message, 'message', messageFields)
    const bytes = checkBytes(data, 'message.data')
    const passed = checkList(fds, () => 'message.fds', checkIntItem)
    return this.#calls.sendmsg(fd, bytes, passed, checkMask(flags, 'flags'))
  }

  recvmsg(fd: number, into: MessageRoom, flags = 0): Results['recvmsg'] {
    checkInt(fd, 'fd')
    const { buffer, maxFds = 0 } = checkFields(into, 'into', roomFields)
    const room = checkBytes(buffer, 'into.buffer')
    return this.#calls.recvmsg(fd, room, checkNotNegative(maxFds, 'into.maxFds'), checkMask(flags, 'flags'))
  }

  shutdown(fd: number, how: number): Results['shutdown'] {
    return this.#calls.shutdown(checkInt(fd, 'fd'), checkInt(how, 'how'))
  }

  close(fd: number): Results['close'] {
    return this.#calls.close(checkInt(fd, 'fd'))
  }

  dup(fd: number): Results['dup'] {
    return this.#calls.dup(checkInt(fd, 'fd'))
  }

  dup3(fd: number, target: number, flags = 0): Results['dup3'] {
    return this.#calls.dup3(checkInt(fd, 'fd'), checkInt(target, 'target'), checkMask(flags, 'flags'))
  }

  fcntl(fd: number, command: number, argument = 0): Results['fcntl'] {
    return this.#calls.fcntl(checkInt(fd, 'fd'), checkInt(command, 'command'), checkMask(argument, 'argument') | 0)
  }

  getsockopt(fd: number, level: number, option: number): Results['getsockopt'] {
    return this.#calls.getsockopt(checkInt(fd, 'fd'), checkInt(level, 'level'), checkInt(option, 'option'))
  }

  setsockopt(fd: number, level: number, option: number, value: number): Results['setsockopt'] {
    return this.#calls.setsockopt(
      checkInt(fd, 'fd'),
      checkInt(level, 'level'),
      checkInt(option, 'option'),
      checkMask(value, 'value') | 0,
    )
  }

  bytesReadable(fd: number): Results['bytesReadable'] {
    return this.#calls.bytesReadable(checkInt(fd, 'fd'))
  }

  writeFile(path: string, text: string): Results['writeFile'] {
    return this.#calls.writeFile(checkString(path, 'path'), checkText(text, 'text'))
  }

  openpty(size?: WindowSize): Results['openpty'] {
    const { rows, columns } = size === undefined ? noSize : checkWindowSize(size, 'size')
    return this.#calls.openpty(rows, columns)
  }

  setWindowSize(fd: number, size: WindowSize): Results['setWindowSize'] {
    checkInt(fd, 'fd')
    const { rows, columns } = checkWindowSize(size, 'size')
    return this.#calls.setWindowSize(fd, rows, columns)
  }

  poll(fds: readonly PollRequest[], timeoutMs: number): Results['poll'] {
    const requests = checkList(fds, () => 'fds', checkPollRequest)
    return this.#calls.poll(requests, checkTimeout(timeoutMs))
  }

  epollCreate1(flags = 0): Results['epollCreate1'] {
    return this.#calls.epollCreate1(checkMask(flags, 'flags'))
  }

  epollCtl(epfd: number, op: number, fd: number, event?: EpollEvent): Results['epollCtl'] {
    return this.#calls.epollCtl(
      checkInt(epfd, 'epfd'),
      checkInt(op, 'op'),
      checkInt(fd, 'fd'),
      event === undefined ? undefined : checkEpollEvent(event, 'event'),
    )
  }

  epollWait(epfd: number, maxEvents: number, timeoutMs: number): Results['epollWait'] {
    return this.#calls.epollWait(checkInt(epfd, 'epfd'), checkInt(maxEvents, 'maxEvents'), checkTimeout(timeoutMs))
  }

  fork(program: ChildProgram): Results['fork'] {
    return this.#calls.fork(checkChildProgram(program))
  }

  waitpid(pid: number, options = 0): Results['waitpid'] {
    return this.#calls.waitpid(checkInt(pid, 'pid'), checkMask(options, 'options'))
  }

  waitid(idType: number, id: number, options: number): Results['waitid'] {
    return this.#calls.waitid(checkInt(idType, 'idType'), checkInt(id, 'id'), checkMask(options, 'options'))
  }

  kill(pid: number, signal: Signal): Results['kill'] {
    return this.#calls.kill(checkInt(pid, 'pid'), checkSignal(signal))
  }

  tgkill(pid: number, tid: number, signal: Signal): Results['tgkill'] {
    return this.#calls.tgkill(checkInt(pid, 'pid'), checkInt(tid, 'tid'), checkSignal(signal))
  }

  tgsigqueueinfo(pid: number, tid: number, siginfo: Uint8Array): Results['tgsigqueueinfo'] {
    return this.#calls.tgsigqueueinfo(checkInt(pid, 'pid'), checkInt(tid, 'tid'), checkSiginfo(siginfo, 'siginfo'))
  }

  ptraceCont(pid: number, signal?: Signal): Results['ptraceCont'] {
    return this.#calls.ptraceCont(checkInt(pid, 'pid'), checkDeliveredSignal(signal))
  }

  ptraceStep(pid: number, signal?: Signal): Results['ptraceStep'] {
    return this.#calls.ptraceStep(checkInt(pid, 'pid'), checkDeliveredSignal(signal))
  }

  ptraceSyscall(pid: number, signal?: Signal): Results['ptraceSyscall'] {
    return this.#calls.ptraceSyscall(checkInt(pid, 'pid'), checkDeliveredSignal(signal))
  }

  ptraceDetach(pid: number, signal?: Signal): Results['ptraceDetach'] {
    return this.#calls.ptraceDetach(checkInt(pid, 'pid'), checkDeliveredSignal(signal))
  }

  ptraceSeize(pid: number, options: number): Results['ptraceSeize'] {
    return this.#calls.ptraceSeize(checkInt(pid, 'pid'), checkMask(options, 'options'))
  }

  ptraceAttach(pid: number): Results['ptraceAttach'] {
    return this.#calls.ptraceAttach(checkInt(pid, 'pid'))
  }

  ptraceInterrupt(pid: number): Results['ptraceInterrupt'] {
    return this.#calls.ptraceInterrupt(checkInt(pid, 'pid'))
  }

  ptraceListen(pid: number): Results['ptraceListen'] {
    return this.#calls.ptraceListen(checkInt(pid, 'pid'))
  }

  ptraceSetOptions(pid: number, options: number): Results['ptraceSetOptions'] {
    return this.#calls.ptraceSetOptions(checkInt(pid, 'pid'), checkMask(options, 'options'))
  }

  ptraceGetEventMessage(pid: number): Results['ptraceGetEventMessage'] {
    return this.#calls.ptraceGetEventMessage(checkInt(pid, 'pid'))
  }

  ptraceGetSigInfo(pid: number): Results['ptraceGetSigInfo'] {
    return this.#calls.ptraceGetSigInfo(checkInt(pid, 'pid'))
  }

  ptraceSetSigInfo(pid: number, siginfo: Uint8Array): Results['ptraceSetSigInfo'] {
    return this.#calls.ptraceSetSigInfo(checkInt(pid, 'pid'), checkSiginfo(siginfo, 'siginfo'))
  }

  ptracePeekSigInfo(pid: number, offset: number, count: number, flags = 0): Results['ptracePeekSigInfo'] {
    return this.#calls.ptracePeekSigInfo(
      checkInt(pid, 'pid'),
      checkNotNegative(offset, 'offset'),
      checkNotNegative(count, 'count'),
      checkMask(flags, 'flags'),
    )
  }

  ptraceGetRegisterSet(tid: number, type: number): Results['ptraceGetRegisterSet'] {
    return this.#calls.ptraceGetRegisterSet(checkInt(tid, 'tid'), checkMask(type, 'type'))
  }

  ptraceSetRegisterSet(tid: number, type: number, bytes: Uint8Array): Results['ptraceSetRegisterSet'] {
    return this.#calls.ptraceSetRegisterSet(checkInt(tid, 'tid'), checkMask(type, 'type'), checkBytes(bytes, 'bytes'))
  }

  ptracePeekUser(tid: number, offset: number): Results['ptracePeekUser'] {
    return this.#calls.ptracePeekUser(checkInt(tid, 'tid'), checkInt(offset, 'offset'))
  }

  ptracePokeUser(tid: number, offset: number, value: bigint): Results['ptracePokeUser'] {
    return this.#calls.ptracePokeUser(checkInt(tid, 'tid'), checkInt(offset, 'offset'), checkAddress(value, 'value'))
  }

  ptraceGetSyscallInfo(tid: number): Results['ptraceGetSyscallInfo'] {
    return this.#calls.ptraceGetSyscallInfo(checkInt(tid, 'tid'))
  }

  ptraceGetRegisters(pid: number): Results['ptraceGetRegisters'] {
    return this.#calls.ptraceGetRegisters(checkInt(pid, 'pid'))
  }

  ptraceSetRegisters(pid: number, registers: RegisterChanges): Results['ptraceSetRegisters'] {
    return this.#calls.ptraceSetRegisters(checkInt(pid, 'pid'), checkRegisterChanges(registers))
  }

  ptraceGetSigMask(pid: number): Results['ptraceGetSigMask'] {
    return this.#calls.ptraceGetSigMask(checkInt(pid, 'pid'))
  }

  ptraceSetSigMask(pid: number, signals: readonly Signal[]): Results['ptraceSetSigMask'] {
    checkInt(pid, 'pid')
    return this.#calls.ptraceSetSigMask(
      pid,
      checkList(signals, () => 'signals', checkSignalOfSet),
    )
  }

  readMemory(pid: number, address: bigint, into: number | Uint8Array): Results['readMemory'] {
    return this.#calls.readMemory(checkInt(pid, 'pid'), checkAddress(address), checkAreaToRead(into, 'into'))
  }

  writeMemory(pid: number, address: bigint, data: Uint8Array): Results['writeMemory'] {
    return this.#calls.writeMemory(checkInt(pid, 'pid'), checkAddress(address), checkBytes(data, 'data'))
  }
}
