/** System over the addon: the real kernel. */

import { resolve } from 'node:path'
import {
  checkAbortSignal,
  checkAddress,
  checkArray,
  checkBytes,
  checkDeliveredSignal,
  checkEpollData,
  checkInt,
  checkMask,
  checkObject,
  checkOptions,
  checkSignal,
  checkString,
  checkTimeout,
  invalidType,
  outOfRange,
} from '../system/arguments.ts'
import { checkReadinessListener } from '../system/check-system.ts'
import { type ChildProgram, checkChildProgram } from '../system/child-program.ts'
import { SystemError } from '../system/errors.ts'
import { awaitedHint, offerPrivateCalls } from '../system/private-calls.ts'
import {
  changeRegisters,
  checkRegisterChanges,
  decodeRegisters,
  encodeRegisters,
  mostRegisterBytes,
  type RegisterChanges,
  type Registers,
} from '../system/registers.ts'
import { type Signal, type SignalName, signalName } from '../system/signals.ts'
import type {
  Abortable,
  EpollEvent,
  PollRequest,
  ReadinessListener,
  ReadinessWatch,
  SignalInfo,
  System,
  WaitResult,
} from '../system/system.ts'
import { decodeWaitStatus, isExit } from '../system/wait-status.ts'
import type { Addon } from './addon.ts'
import { encodeProgram } from './encode-program.ts'
import { LoopWatch } from './loop-watch.ts'
import { missingInterpreterHint } from './missing-interpreter.ts'
import { withPolledLoop } from './polled-loop.ts'
import { hasExecedByProc, writeControlFile } from './proc.ts'
import { hasLibuv, isWorker } from './runtime.ts'
import { decodeSiginfo, siginfoBytes } from './siginfo.ts'
import { ThreadOwnership } from './thread-ownership.ts'
import { foreignChildHint, whyNoRequest, whyNotAttached } from './trace-refusal.ts'

/** SCM_MAX_FD: the kernel passes no more descriptors with one message. */
const mostDescriptors = 253
/** A larger epollWait is answered with this many events at most, as epoll_wait may. */
const mostEvents = 4096

/**
 * The commands of fcntl whose argument is a number or nothing: F_DUPFD to F_SETFL, F_SETOWN to F_GETSIG, F_SETLEASE to F_CREATED_QUERY,
 * F_DUPFD_CLOEXEC to F_GET_SEALS. Others (F_GETLK …) take an address: the kernel would write through any number given for one.
 */
const numberCommands = new Set([
  0, 1, 2, 3, 4, 8, 9, 10, 11, 1024, 1025, 1026, 1027, 1028, 1030, 1031, 1032, 1033, 1034,
])
/** A command that Linux does not have, and answers as it does those: EBADF or EINVAL. */
const noCommand = -1

const eperm = -1
const esrch = -3
const echild = -10

export class NativeSystem implements System {
  readonly kind = 'native'
  readonly #addon: Addon
  readonly #loop: LoopWatch
  readonly #pair = new Int32Array(2)
  readonly #waited = new Float64Array(10)
  readonly #siginfo = new Uint8Array(siginfoBytes)
  readonly #awaitedChildren = new Set<number>()
  // Forked here and not reaped here.
  readonly #forked = new Set<number>()

  constructor(addon: Addon) {
    this.#addon = addon
    this.#loop = new LoopWatch(hasLibuv ? addon : withPolledLoop(addon))
    offerPrivateCalls(this, {
      ...(isWorker() && { ownership: new ThreadOwnership(addon) }),
      awaitedChildren: this.#awaitedChildren,
      seizeAwaited: (pid, options) => this.#attached(pid, addon.ptraceSeize(pid, options)),
      hasExeced: pid => this.#hasExeced(pid),
      whyNotFound: (files, directory = '.') =>
        missingInterpreterHint(
          files.map(file => resolve(directory, file)),
          directory,
        ),
      isInTraceStop: pid => addon.ptraceGetSigInfo(pid, this.#siginfo) !== esrch,
    })
  }

  pipe2(flags = 0): [readFd: number, writeFd: number] {
    check('pipe2', this.#addon.pipe2(checkMask(flags, 'flags'), this.#pair))
    return [this.#pair[0]!, this.#pair[1]!]
  }

  socketpair(domain: number, type: number, protocol = 0): [number, number] {
    checkInt(domain, 'domain')
    checkMask(type, 'type')
    checkInt(protocol, 'protocol')
    check('socketpair', this.#addon.socketpair(domain, type, protocol, this.#pair))
    return [this.#pair[0]!, this.#pair[1]!]
  }

  read(fd: number, buffer: Uint8Array): number {
    return check('read', this.#addon.read(checkInt(fd, 'fd'), checkBytes(buffer, 'buffer')))
  }

  write(fd: number, data: Uint8Array): number {
    return check('write', this.#addon.write(checkInt(fd, 'fd'), checkBytes(data, 'data')))
  }

  send(fd: number, data: Uint8Array, flags = 0): number {
    return check('send', this.#addon.send(checkInt(fd, 'fd'), checkBytes(data, 'data'), checkMask(flags, 'flags')))
  }

  recv(fd: number, buffer: Uint8Array, flags = 0): number {
    return check('recv', this.#addon.recv(checkInt(fd, 'fd'), checkBytes(buffer, 'buffer'), checkMask(flags, 'flags')))
  }

  sendmsg(fd: number, message: { data: Uint8Array; fds?: readonly number[] }, flags = 0): number {
    checkInt(fd, 'fd')
    checkObject(message, 'message')
    const data = checkBytes(message.data, 'message.data')
    // Array.from, unlike map, does not pass over holes.
    const fds = Int32Array.from(
      Array.from(checkArray(message.fds ?? [], 'message.fds'), each => checkInt(each, 'message.fds')),
    )
    return check('sendmsg', this.#addon.sendmsg(fd, data, fds, checkMask(flags, 'flags')))
  }

  recvmsg(
    fd: number,
    into: { buffer: Uint8Array; maxFds?: number },
    flags = 0,
  ): { bytes: number; fds: number[]; flags: number } {
    checkInt(fd, 'fd')
    checkObject(into, 'into')
    const buffer = checkBytes(into.buffer, 'into.buffer')
    const maxFds = checkInt(into.maxFds ?? 0, 'into.maxFds')
    if (maxFds < 0) throw outOfRange('into.maxFds', '>= 0', maxFds)
    const room = Math.min(maxFds, mostDescriptors)
    const out = new Int32Array(2 + room)
    const bytes = check('recvmsg', this.#addon.recvmsg(fd, buffer, room, checkMask(flags, 'flags'), out))
    return { bytes, fds: [...out.subarray(2, 2 + out[1]!)], flags: out[0]! >>> 0 }
  }

  shutdown(fd: number, how: number): void {
    check('shutdown', this.#addon.shutdown(checkInt(fd, 'fd'), checkInt(how, 'how')))
  }

  close(fd: number): void {
    this.#loop.forget(checkInt(fd, 'fd'))
    check('close', this.#addon.close(fd))
  }

  dup(fd: number): number {
    return check('dup', this.#addon.dup(checkInt(fd, 'fd')))
  }

  dup3(fd: number, target: number, flags = 0): number {
    checkInt(fd, 'fd')
    checkInt(target, 'target')
    const result = check('dup3', this.#addon.dup3(fd, target, checkMask(flags, 'flags')))
    this.#loop.forget(target)
    return result
  }

  fcntl(fd: number, command: number, argument = 0): number {
    checkInt(fd, 'fd')
    const known = numberCommands.has(checkInt(command, 'command')) ? command : noCommand
    return check('fcntl', this.#addon.fcntl(fd, known, checkMask(argument, 'argument') | 0))
  }

  getsockopt(fd: number, level: number, option: number): number {
    checkInt(fd, 'fd')
    checkInt(level, 'level')
    check('getsockopt', this.#addon.getsockopt(fd, level, checkInt(option, 'option'), this.#pair))
    return this.#pair[0]!
  }

  setsockopt(fd: number, level: number, option: number, value: number): void {
    checkInt(fd, 'fd')
    checkInt(level, 'level')
    checkInt(option, 'option')
    check('setsockopt', this.#addon.setsockopt(fd, level, option, checkMask(value, 'value') | 0))
  }

  bytesReadable(fd: number): number {
    return check('ioctl', this.#addon.bytesReadable(checkInt(fd, 'fd')))
  }

  poll(fds: readonly PollRequest[], timeoutMs: number): number[] {
    const count = checkArray(fds, 'fds').length
    const pairs = new Int32Array(count * 2)
    for (let i = 0; i < count; i++) {
      const request = checkObject(fds[i], `fds[${i}]`)
      pairs[2 * i] = checkInt(request.fd, `fds[${i}].fd`)
      pairs[2 * i + 1] = checkMask(request.events, `fds[${i}].events`)
    }
    check('poll', this.#addon.poll(pairs, checkTimeout(timeoutMs)))
    return Array.from({ length: count }, (_, i) => pairs[2 * i + 1]!)
  }

  epollCreate1(flags = 0): number {
    return check('epoll_create1', this.#addon.epollCreate1(checkMask(flags, 'flags')))
  }

  epollCtl(epfd: number, op: number, fd: number, event?: EpollEvent): void {
    checkInt(epfd, 'epfd')
    checkInt(op, 'op')
    checkInt(fd, 'fd')
    const given = event !== undefined
    if (given) checkObject(event, 'event')
    const events = given ? checkMask(event.events, 'event.events') : 0
    const data = given ? checkEpollData(event.data, 'event.data') : 0
    check('epoll_ctl', this.#addon.epollCtl(epfd, op, fd, given, events, data))
  }

  epollWait(epfd: number, maxEvents: number, timeoutMs: number): EpollEvent[] {
    checkInt(epfd, 'epfd')
    checkInt(maxEvents, 'maxEvents')
    const out = new Float64Array(2 * Math.max(1, Math.min(maxEvents, mostEvents)))
    const count = check('epoll_wait', this.#addon.epollWait(epfd, maxEvents, checkTimeout(timeoutMs), out))
    return Array.from({ length: count }, (_, i) => ({ events: out[2 * i]!, data: out[2 * i + 1]! }))
  }

  writeFile(path: string, text: string): void {
    checkString(path, 'path')
    if (typeof text !== 'string') throw invalidType('text', 'of type string', text)
    writeControlFile(path, text)
  }

  async ready(fd: number, events: number, options: Abortable = {}): Promise<number> {
    checkInt(fd, 'fd')
    checkMask(events, 'events')
    const signal = checkAbortSignal(checkOptions(options, 'options', ['signal']).signal)
    try {
      return await this.#loop.ready(fd, events, signal)
    } catch (error) {
      // epoll takes no regular files, which are always ready: poll says so.
      if (error instanceof SystemError && error.code === 'EPERM') return this.poll([{ fd, events }], 0)[0]!
      throw error
    }
  }

  watch(fd: number, events: number, listener: ReadinessListener): ReadinessWatch {
    checkInt(fd, 'fd')
    checkMask(events, 'events')
    return this.#loop.watch(fd, events, checkReadinessListener(listener))
  }

  now(): number {
    return performance.now()
  }

  async sleep(ms: number, options: Abortable = {}): Promise<void> {
    if (typeof ms !== 'number') throw invalidType('ms', 'of type number', ms)
    // setTimeout would take a longer time for one millisecond.
    if (!(ms <= 0x7fffffff)) throw outOfRange('ms', 'at most 2147483647', ms)
    const signal = checkAbortSignal(checkOptions(options, 'options', ['signal']).signal)
    signal?.throwIfAborted()
    const end = this.now() + ms
    await new Promise<void>((resolve, reject) => {
      const abort = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      // Timers count whole milliseconds of the loop's own clock and may come up to one early.
      const turn = () => {
        const left = end - this.now()
        if (left > 0) {
          timer = setTimeout(turn, Math.ceil(left))
          return
        }
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      let timer = setTimeout(turn, Math.max(0, ms))
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  fork(program: ChildProgram): number {
    const checked = checkChildProgram(program)
    const { words, bytes, shared } = encodeProgram(checked)
    const pid = check('fork', this.#addon.fork(words, bytes, checked.report ?? -1, shared))
    this.#forked.add(pid)
    return pid
  }

  waitpid(pid: number, options = 0): WaitResult | null {
    const waited = this.#waited
    const result = this.#addon.waitpid(checkInt(pid, 'pid'), checkMask(options, 'options'), waited)
    if (result === 0) return null
    if (result < 0) {
      if (result === echild) this.#forked.delete(pid)
      throw new SystemError({ errno: result, syscall: 'waitpid', pid })
    }
    const raw = waited[0]!
    const status = decodeWaitStatus(raw)
    if (isExit(status)) this.#forked.delete(result)
    return {
      pid: result,
      raw,
      status,
      rusage: {
        userCPUTime: waited[1]!,
        systemCPUTime: waited[2]!,
        maxRSS: waited[3]!,
        minorPageFault: waited[4]!,
        majorPageFault: waited[5]!,
        fsRead: waited[6]!,
        fsWrite: waited[7]!,
        voluntaryContextSwitches: waited[8]!,
        involuntaryContextSwitches: waited[9]!,
      },
    }
  }

  kill(pid: number, signal: Signal): void {
    const number = checkSignal(signal)
    const result = this.#addon.kill(checkInt(pid, 'pid'), number)
    if (result < 0) throw new SystemError({ errno: result, syscall: 'kill', pid })
  }

  tgkill(pid: number, tid: number, signal: Signal): void {
    const number = checkSignal(signal)
    const result = this.#addon.tgkill(checkInt(pid, 'pid'), checkInt(tid, 'tid'), number)
    if (result < 0) throw new SystemError({ errno: result, syscall: 'tgkill', pid })
  }

  onChildChange(listener: () => void, options: { readonly keepAlive?: boolean } = {}): () => void {
    if (typeof listener !== 'function') throw invalidType('listener', 'of type function', listener)
    const { keepAlive } = checkOptions(options, 'options', ['keepAlive'])
    return this.#loop.onChildChange(listener, keepAlive !== false)
  }

  ptraceCont(pid: number, signal?: Signal): void {
    this.#traced(pid, this.#addon.ptraceCont(checkInt(pid, 'pid'), checkDeliveredSignal(signal)))
  }

  ptraceStep(pid: number, signal?: Signal): void {
    this.#traced(pid, this.#addon.ptraceStep(checkInt(pid, 'pid'), checkDeliveredSignal(signal)))
  }

  ptraceSyscall(pid: number, signal?: Signal): void {
    this.#traced(pid, this.#addon.ptraceSyscall(checkInt(pid, 'pid'), checkDeliveredSignal(signal)))
  }

  ptraceDetach(pid: number, signal?: Signal): void {
    this.#traced(pid, this.#addon.ptraceDetach(checkInt(pid, 'pid'), checkDeliveredSignal(signal)))
  }

  ptraceSeize(pid: number, options: number): void {
    const mask = checkMask(options, 'options')
    this.#refuseAwaited(checkInt(pid, 'pid'))
    this.#attached(pid, this.#addon.ptraceSeize(pid, mask))
  }

  ptraceAttach(pid: number): void {
    this.#refuseAwaited(checkInt(pid, 'pid'))
    this.#attached(pid, this.#addon.ptraceAttach(pid, 0))
  }

  ptraceInterrupt(pid: number): void {
    this.#traced(pid, this.#addon.ptraceInterrupt(checkInt(pid, 'pid'), 0))
  }

  ptraceListen(pid: number): void {
    this.#traced(pid, this.#addon.ptraceListen(checkInt(pid, 'pid'), 0))
  }

  ptraceSetOptions(pid: number, options: number): void {
    this.#traced(pid, this.#addon.ptraceSetOptions(checkInt(pid, 'pid'), checkMask(options, 'options')))
  }

  ptraceGetEventMessage(pid: number): number {
    this.#traced(pid, this.#addon.ptraceGetEventMessage(checkInt(pid, 'pid'), this.#waited))
    return this.#waited[0]!
  }

  ptraceGetSigInfo(pid: number): SignalInfo {
    const bytes = new Uint8Array(siginfoBytes)
    this.#traced(pid, this.#addon.ptraceGetSigInfo(checkInt(pid, 'pid'), bytes))
    return decodeSiginfo(bytes)
  }

  ptraceGetRegisters(pid: number): Registers {
    const bytes = new Uint8Array(mostRegisterBytes)
    const length = this.#addon.ptraceGetRegisters(checkInt(pid, 'pid'), bytes)
    this.#traced(pid, length)
    return decodeRegisters(bytes.subarray(0, length))
  }

  ptraceSetRegisters(pid: number, registers: RegisterChanges): void {
    const changes = checkRegisterChanges(registers)
    const changed = changeRegisters(this.ptraceGetRegisters(pid), changes)
    this.#traced(pid, this.#addon.ptraceSetRegisters(pid, encodeRegisters(changed)))
  }

  ptraceGetSigMask(pid: number): SignalName[] {
    const mask = new Int32Array(2)
    this.#traced(pid, this.#addon.ptraceGetSigMask(checkInt(pid, 'pid'), mask))
    const isBlocked = (signal: number) => ((mask[(signal - 1) >> 5]! >>> ((signal - 1) & 31)) & 1) !== 0
    return Array.from({ length: 64 }, (_, i) => i + 1)
      .filter(isBlocked)
      .map(signalName)
  }

  ptraceSetSigMask(pid: number, signals: readonly Signal[]): void {
    const mask = [0, 0] as [number, number]
    for (const each of checkArray(signals, 'signals')) {
      const bit = checkSignal(each, 'signals') - 1
      if (bit < 0 || bit > 63) throw outOfRange('signals', 'a signal from 1 to 64', each)
      mask[bit >> 5 === 0 ? 0 : 1] |= 1 << (bit & 31)
    }
    this.#traced(pid, this.#addon.ptraceSetSigMask(checkInt(pid, 'pid'), mask[0] >>> 0, mask[1] >>> 0))
  }

  readMemory(pid: number, address: bigint, length: number): Uint8Array {
    checkInt(pid, 'pid')
    checkAddress(address)
    if (checkInt(length, 'length') < 0) throw outOfRange('length', '>= 0', length)
    const buffer = new Uint8Array(length)
    const result = this.#addon.readMemory(pid, address, buffer)
    if (result < 0) throw new SystemError({ errno: result, syscall: 'process_vm_readv', pid })
    return buffer.subarray(0, result)
  }

  writeMemory(pid: number, address: bigint, data: Uint8Array): number {
    checkInt(pid, 'pid')
    const result = this.#addon.writeMemory(pid, checkAddress(address), checkBytes(data, 'data'))
    if (result < 0) throw new SystemError({ errno: result, syscall: 'process_vm_writev', pid })
    return result
  }

  #traced(pid: number, result: number): void {
    if (result >= 0) return
    const hint = result === esrch ? whyNoRequest(pid) : undefined
    throw new SystemError({ errno: result, syscall: 'ptrace', pid, hint })
  }

  #attached(pid: number, result: number): void {
    if (result >= 0) return
    const hint = result === eperm || result === esrch ? whyNotAttached(pid) : undefined
    throw new SystemError({ errno: result, syscall: 'ptrace', pid, hint })
  }

  /** Another wait of this process would take the stops of such a child, and tell of an end that did not happen. */
  #refuseAwaited(pid: number): void {
    const hint = this.#awaitedChildren.has(pid)
      ? awaitedHint
      : this.#forked.has(pid)
        ? undefined
        : foreignChildHint(pid)
    if (hint !== undefined) throw new SystemError({ errno: eperm, syscall: 'ptrace', pid, hint })
  }

  #hasExeced(pid: number): boolean | undefined {
    const answer = this.#addon.hasExeced(pid)
    if (answer === 1) return true
    // Reaped by another waiter: not known to have exec'ed. Any other answer may be a sandbox's own.
    return answer === esrch ? false : hasExecedByProc(pid)
  }
}

function check(syscall: string, result: number): number {
  if (result < 0) throw new SystemError({ errno: result, syscall })
  return result
}
