/** The host's synchronous system calls. */

import type { CallName } from '../../system/calls.ts'
import type { ChildProgram } from '../../system/child-program.ts'
import type { RegisterChanges, Registers } from '../../system/registers.ts'
import type { Signal, SignalName } from '../../system/signals.ts'
import type {
  EpollEvent,
  MessageRoom,
  OutgoingMessage,
  PollRequest,
  ReceivedMessage,
  SignalInfo,
  SyscallInfo,
  System,
  WaitidResult,
  WaitResult,
  WindowSize,
} from '../../system/system.ts'
import { isFailure } from '../base/results.ts'
import { calls, failure, type SystemCall } from '../calls/table.ts'
import type { Action } from '../processes/task.ts'
import type { BlockingCalls } from './blocking-calls.ts'

const noArguments: readonly unknown[] = []

/** The calls of the table as methods, which block by letting other tasks step. */
export class SynchronousCalls implements Pick<System, CallName> {
  readonly #calls: BlockingCalls

  constructor(calls: BlockingCalls) {
    this.#calls = calls
  }

  /** Four named parameters and no list of arguments: this is the path of every notification. */
  #make<Args extends unknown[], Result>(
    call: SystemCall<Args, Result>,
    a?: Args[0],
    b?: Args[1],
    c?: Args[2],
    d?: Args[3],
  ): Result {
    const prepare = call.prepare as (...args: unknown[]) => Action
    const host = this.#calls
    const args = host.kernel.watchesCalls ? [a, b, c, d] : noArguments
    const result = host.make(call, prepare(a, b, c, d), args)
    if (isFailure(result)) throw failure(host.kernel.host, call, result, [a, b, c, d] as unknown[] as Args)
    return call.finish(result)
  }

  pipe2(flags?: number): [readFd: number, writeFd: number] {
    return this.#make(calls.pipe2, flags)
  }

  socketpair(domain: number, type: number, protocol?: number): [number, number] {
    return this.#make(calls.socketpair, domain, type, protocol)
  }

  read(fd: number, buffer: Uint8Array): number {
    return this.#make(calls.read, fd, buffer)
  }

  write(fd: number, data: Uint8Array): number {
    return this.#make(calls.write, fd, data)
  }

  send(fd: number, data: Uint8Array, flags?: number): number {
    return this.#make(calls.send, fd, data, flags)
  }

  recv(fd: number, buffer: Uint8Array, flags?: number): number {
    return this.#make(calls.recv, fd, buffer, flags)
  }

  sendmsg(fd: number, message: OutgoingMessage, flags?: number): number {
    return this.#make(calls.sendmsg, fd, message, flags)
  }

  recvmsg(fd: number, into: MessageRoom, flags?: number): ReceivedMessage {
    return this.#make(calls.recvmsg, fd, into, flags)
  }

  shutdown(fd: number, how: number): void {
    this.#make(calls.shutdown, fd, how)
  }

  close(fd: number): void {
    this.#make(calls.close, fd)
  }

  dup(fd: number): number {
    return this.#make(calls.dup, fd)
  }

  dup3(fd: number, target: number, flags?: number): number {
    return this.#make(calls.dup3, fd, target, flags)
  }

  fcntl(fd: number, command: number, argument?: number): number {
    return this.#make(calls.fcntl, fd, command, argument)
  }

  getsockopt(fd: number, level: number, option: number): number {
    return this.#make(calls.getsockopt, fd, level, option)
  }

  setsockopt(fd: number, level: number, option: number, value: number): void {
    this.#make(calls.setsockopt, fd, level, option, value)
  }

  bytesReadable(fd: number): number {
    return this.#make(calls.bytesReadable, fd)
  }

  writeFile(path: string, text: string): void {
    this.#make(calls.writeFile, path, text)
  }

  openpty(size?: WindowSize): [masterFd: number, slaveFd: number] {
    return this.#make(calls.openpty, size)
  }

  setWindowSize(fd: number, size: WindowSize): void {
    this.#make(calls.setWindowSize, fd, size)
  }

  poll(fds: readonly PollRequest[], timeoutMs: number): number[] {
    return this.#make(calls.poll, fds, timeoutMs)
  }

  epollCreate1(flags?: number): number {
    return this.#make(calls.epollCreate1, flags)
  }

  epollCtl(epfd: number, op: number, fd: number, event?: EpollEvent): void {
    this.#make(calls.epollCtl, epfd, op, fd, event)
  }

  epollWait(epfd: number, maxEvents: number, timeoutMs: number): EpollEvent[] {
    return this.#make(calls.epollWait, epfd, maxEvents, timeoutMs)
  }

  fork(program: ChildProgram): number {
    return this.#make(calls.fork, program)
  }

  waitpid(pid: number, options?: number): WaitResult | null {
    return this.#make(calls.waitpid, pid, options)
  }

  waitid(idType: number, id: number, options: number): WaitidResult | null {
    return this.#make(calls.waitid, idType, id, options)
  }

  kill(pid: number, signal: Signal): void {
    this.#make(calls.kill, pid, signal)
  }

  tgkill(pid: number, tid: number, signal: Signal): void {
    this.#make(calls.tgkill, pid, tid, signal)
  }

  tgsigqueueinfo(pid: number, tid: number, siginfo: Uint8Array): void {
    this.#make(calls.tgsigqueueinfo, pid, tid, siginfo)
  }

  ptraceCont(pid: number, signal?: Signal): void {
    this.#make(calls.ptraceCont, pid, signal)
  }

  ptraceStep(pid: number, signal?: Signal): void {
    this.#make(calls.ptraceStep, pid, signal)
  }

  ptraceSyscall(pid: number, signal?: Signal): void {
    this.#make(calls.ptraceSyscall, pid, signal)
  }

  ptraceDetach(pid: number, signal?: Signal): void {
    this.#make(calls.ptraceDetach, pid, signal)
  }

  ptraceSeize(pid: number, options: number): void {
    this.#make(calls.ptraceSeize, pid, options)
  }

  ptraceAttach(pid: number): void {
    this.#make(calls.ptraceAttach, pid)
  }

  ptraceInterrupt(pid: number): void {
    this.#make(calls.ptraceInterrupt, pid)
  }

  ptraceListen(pid: number): void {
    this.#make(calls.ptraceListen, pid)
  }

  ptraceSetOptions(pid: number, options: number): void {
    this.#make(calls.ptraceSetOptions, pid, options)
  }

  ptraceGetEventMessage(pid: number): number {
    return this.#make(calls.ptraceGetEventMessage, pid)
  }

  ptraceGetSigInfo(pid: number): SignalInfo {
    return this.#make(calls.ptraceGetSigInfo, pid)
  }

  ptraceSetSigInfo(pid: number, siginfo: Uint8Array): void {
    this.#make(calls.ptraceSetSigInfo, pid, siginfo)
  }

  ptracePeekSigInfo(pid: number, offset: number, count: number, flags?: number): SignalInfo[] {
    return this.#make(calls.ptracePeekSigInfo, pid, offset, count, flags)
  }

  ptraceGetRegisterSet(tid: number, type: number): Uint8Array {
    return this.#make(calls.ptraceGetRegisterSet, tid, type)
  }

  ptraceSetRegisterSet(tid: number, type: number, bytes: Uint8Array): void {
    this.#make(calls.ptraceSetRegisterSet, tid, type, bytes)
  }

  ptracePeekUser(tid: number, offset: number): bigint {
    return this.#make(calls.ptracePeekUser, tid, offset)
  }

  ptracePokeUser(tid: number, offset: number, value: bigint): void {
    this.#make(calls.ptracePokeUser, tid, offset, value)
  }

  ptraceGetSyscallInfo(tid: number): SyscallInfo {
    return this.#make(calls.ptraceGetSyscallInfo, tid)
  }

  ptraceGetRegisters(pid: number): Registers {
    return this.#make(calls.ptraceGetRegisters, pid)
  }

  ptraceSetRegisters(pid: number, registers: RegisterChanges): void {
    this.#make(calls.ptraceSetRegisters, pid, registers)
  }

  ptraceGetSigMask(pid: number): SignalName[] {
    return this.#make(calls.ptraceGetSigMask, pid)
  }

  ptraceSetSigMask(pid: number, signals: readonly Signal[]): void {
    this.#make(calls.ptraceSetSigMask, pid, signals)
  }

  readMemory(pid: number, address: bigint, into: number | Uint8Array): Uint8Array {
    return this.#make(calls.readMemory, pid, address, into)
  }

  writeMemory(pid: number, address: bigint, data: Uint8Array): number {
    return this.#make(calls.writeMemory, pid, address, data)
  }
}
