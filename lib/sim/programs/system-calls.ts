/** A simulated program's system calls, which System has too. */

import type { CallName } from '../../system/calls.ts'
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
import { calls } from '../calls/table.ts'
import type { Task } from '../processes/task.ts'
import { type Calling, make } from './calling.ts'

type AsGenerators = {
  readonly [Name in Exclude<CallName, 'fork'>]: (...args: Parameters<System[Name]>) => Calling<ReturnType<System[Name]>>
}

/** The synchronous calls of System as generators. Each does what System's method of the same name does. */
export abstract class SystemCalls implements AsGenerators {
  readonly #task: Task

  constructor(task: Task) {
    this.#task = task
  }

  /** pipe2(2). */
  pipe2(flags?: number): Calling<[readFd: number, writeFd: number]> {
    return make(this.#task, calls.pipe2, [flags])
  }

  /** socketpair(2). */
  socketpair(domain: number, type: number, protocol?: number): Calling<[number, number]> {
    return make(this.#task, calls.socketpair, [domain, type, protocol])
  }

  /** read(2). */
  read(fd: number, buffer: Uint8Array): Calling<number> {
    return make(this.#task, calls.read, [fd, buffer])
  }

  /** write(2). */
  write(fd: number, data: Uint8Array): Calling<number> {
    return make(this.#task, calls.write, [fd, data])
  }

  /** send(2). */
  send(fd: number, data: Uint8Array, flags?: number): Calling<number> {
    return make(this.#task, calls.send, [fd, data, flags])
  }

  /** recv(2). */
  recv(fd: number, buffer: Uint8Array, flags?: number): Calling<number> {
    return make(this.#task, calls.recv, [fd, buffer, flags])
  }

  /** sendmsg(2). */
  sendmsg(fd: number, message: OutgoingMessage, flags?: number): Calling<number> {
    return make(this.#task, calls.sendmsg, [fd, message, flags])
  }

  /** recvmsg(2). */
  recvmsg(fd: number, into: MessageRoom, flags?: number): Calling<ReceivedMessage> {
    return make(this.#task, calls.recvmsg, [fd, into, flags])
  }

  /** shutdown(2). */
  shutdown(fd: number, how: number): Calling<void> {
    return make(this.#task, calls.shutdown, [fd, how])
  }

  /** close(2). */
  close(fd: number): Calling<void> {
    return make(this.#task, calls.close, [fd])
  }

  /** dup(2). */
  dup(fd: number): Calling<number> {
    return make(this.#task, calls.dup, [fd])
  }

  /** dup3(2). */
  dup3(fd: number, target: number, flags?: number): Calling<number> {
    return make(this.#task, calls.dup3, [fd, target, flags])
  }

  /** fcntl(2). */
  fcntl(fd: number, command: number, argument?: number): Calling<number> {
    return make(this.#task, calls.fcntl, [fd, command, argument])
  }

  /** getsockopt(2). */
  getsockopt(fd: number, level: number, option: number): Calling<number> {
    return make(this.#task, calls.getsockopt, [fd, level, option])
  }

  /** setsockopt(2). */
  setsockopt(fd: number, level: number, option: number, value: number): Calling<void> {
    return make(this.#task, calls.setsockopt, [fd, level, option, value])
  }

  /** ioctl(2) FIONREAD. */
  bytesReadable(fd: number): Calling<number> {
    return make(this.#task, calls.bytesReadable, [fd])
  }

  /** open(2), write(2) and close(2), as one call. */
  writeFile(path: string, text: string): Calling<void> {
    return make(this.#task, calls.writeFile, [path, text])
  }

  /** openpty(3). */
  openpty(size?: WindowSize): Calling<[masterFd: number, slaveFd: number]> {
    return make(this.#task, calls.openpty, [size])
  }

  /** ioctl(2) TIOCSWINSZ. */
  setWindowSize(fd: number, size: WindowSize): Calling<void> {
    return make(this.#task, calls.setWindowSize, [fd, size])
  }

  /** poll(2). */
  poll(fds: readonly PollRequest[], timeoutMs: number): Calling<number[]> {
    return make(this.#task, calls.poll, [fds, timeoutMs])
  }

  /** epoll_create1(2). */
  epollCreate1(flags?: number): Calling<number> {
    return make(this.#task, calls.epollCreate1, [flags])
  }

  /** epoll_ctl(2). */
  epollCtl(epfd: number, op: number, fd: number, event?: EpollEvent): Calling<void> {
    return make(this.#task, calls.epollCtl, [epfd, op, fd, event])
  }

  /** epoll_wait(2). */
  epollWait(epfd: number, maxEvents: number, timeoutMs: number): Calling<EpollEvent[]> {
    return make(this.#task, calls.epollWait, [epfd, maxEvents, timeoutMs])
  }

  /** waitpid(2). */
  waitpid(pid: number, options?: number): Calling<WaitResult | null> {
    return make(this.#task, calls.waitpid, [pid, options])
  }

  /** waitid(2). */
  waitid(idType: number, id: number, options: number): Calling<WaitidResult | null> {
    return make(this.#task, calls.waitid, [idType, id, options])
  }

  /** kill(2). */
  kill(pid: number, signal: Signal): Calling<void> {
    return make(this.#task, calls.kill, [pid, signal])
  }

  /** tgkill(2). */
  tgkill(pid: number, tid: number, signal: Signal): Calling<void> {
    return make(this.#task, calls.tgkill, [pid, tid, signal])
  }

  /** rt_tgsigqueueinfo(2). */
  tgsigqueueinfo(pid: number, tid: number, siginfo: Uint8Array): Calling<void> {
    return make(this.#task, calls.tgsigqueueinfo, [pid, tid, siginfo])
  }

  /** PTRACE_CONT. */
  ptraceCont(pid: number, signal?: Signal): Calling<void> {
    return make(this.#task, calls.ptraceCont, [pid, signal])
  }

  /** PTRACE_SINGLESTEP. */
  ptraceStep(pid: number, signal?: Signal): Calling<void> {
    return make(this.#task, calls.ptraceStep, [pid, signal])
  }

  /** PTRACE_SYSCALL. */
  ptraceSyscall(pid: number, signal?: Signal): Calling<void> {
    return make(this.#task, calls.ptraceSyscall, [pid, signal])
  }

  /** PTRACE_DETACH. */
  ptraceDetach(pid: number, signal?: Signal): Calling<void> {
    return make(this.#task, calls.ptraceDetach, [pid, signal])
  }

  /** PTRACE_SEIZE. */
  ptraceSeize(pid: number, options: number): Calling<void> {
    return make(this.#task, calls.ptraceSeize, [pid, options])
  }

  /** PTRACE_ATTACH. */
  ptraceAttach(pid: number): Calling<void> {
    return make(this.#task, calls.ptraceAttach, [pid])
  }

  /** PTRACE_INTERRUPT. */
  ptraceInterrupt(pid: number): Calling<void> {
    return make(this.#task, calls.ptraceInterrupt, [pid])
  }

  /** PTRACE_LISTEN. */
  ptraceListen(pid: number): Calling<void> {
    return make(this.#task, calls.ptraceListen, [pid])
  }

  /** PTRACE_SETOPTIONS. */
  ptraceSetOptions(pid: number, options: number): Calling<void> {
    return make(this.#task, calls.ptraceSetOptions, [pid, options])
  }

  /** PTRACE_GETEVENTMSG. */
  ptraceGetEventMessage(pid: number): Calling<number> {
    return make(this.#task, calls.ptraceGetEventMessage, [pid])
  }

  /** PTRACE_GETSIGINFO. */
  ptraceGetSigInfo(pid: number): Calling<SignalInfo> {
    return make(this.#task, calls.ptraceGetSigInfo, [pid])
  }

  /** PTRACE_SETSIGINFO. */
  ptraceSetSigInfo(pid: number, siginfo: Uint8Array): Calling<void> {
    return make(this.#task, calls.ptraceSetSigInfo, [pid, siginfo])
  }

  /** PTRACE_PEEKSIGINFO. */
  ptracePeekSigInfo(pid: number, offset: number, count: number, flags?: number): Calling<SignalInfo[]> {
    return make(this.#task, calls.ptracePeekSigInfo, [pid, offset, count, flags])
  }

  /** PTRACE_GETREGSET. */
  ptraceGetRegisterSet(tid: number, type: number): Calling<Uint8Array> {
    return make(this.#task, calls.ptraceGetRegisterSet, [tid, type])
  }

  /** PTRACE_SETREGSET. */
  ptraceSetRegisterSet(tid: number, type: number, bytes: Uint8Array): Calling<void> {
    return make(this.#task, calls.ptraceSetRegisterSet, [tid, type, bytes])
  }

  /** PTRACE_PEEKUSER. */
  ptracePeekUser(tid: number, offset: number): Calling<bigint> {
    return make(this.#task, calls.ptracePeekUser, [tid, offset])
  }

  /** PTRACE_POKEUSER. */
  ptracePokeUser(tid: number, offset: number, value: bigint): Calling<void> {
    return make(this.#task, calls.ptracePokeUser, [tid, offset, value])
  }

  /** PTRACE_GET_SYSCALL_INFO. */
  ptraceGetSyscallInfo(tid: number): Calling<SyscallInfo> {
    return make(this.#task, calls.ptraceGetSyscallInfo, [tid])
  }

  /** PTRACE_GETREGSET. */
  ptraceGetRegisters(pid: number): Calling<Registers> {
    return make(this.#task, calls.ptraceGetRegisters, [pid])
  }

  /** PTRACE_SETREGSET. */
  ptraceSetRegisters(pid: number, registers: RegisterChanges): Calling<void> {
    return make(this.#task, calls.ptraceSetRegisters, [pid, registers])
  }

  /** PTRACE_GETSIGMASK. */
  ptraceGetSigMask(pid: number): Calling<SignalName[]> {
    return make(this.#task, calls.ptraceGetSigMask, [pid])
  }

  /** PTRACE_SETSIGMASK. */
  ptraceSetSigMask(pid: number, signals: readonly Signal[]): Calling<void> {
    return make(this.#task, calls.ptraceSetSigMask, [pid, signals])
  }

  /** process_vm_readv(2). */
  readMemory(pid: number, address: bigint, into: number | Uint8Array): Calling<Uint8Array> {
    return make(this.#task, calls.readMemory, [pid, address, into])
  }

  /** process_vm_writev(2). */
  writeMemory(pid: number, address: bigint, data: Uint8Array): Calling<number> {
    return make(this.#task, calls.writeMemory, [pid, address, data])
  }
}
