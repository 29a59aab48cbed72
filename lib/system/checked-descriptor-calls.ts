/** The arguments of the calls on descriptors, and of poll and epoll: their types, names in errors, and defaults. */

import {
  checkBytes,
  checkEpollEvent,
  checkFields,
  checkInt,
  checkIntItem,
  checkList,
  checkMask,
  checkNotNegative,
  checkPollRequest,
  checkString,
  checkText,
  checkTimeout,
  checkWindowSize,
} from './arguments.ts'
import type { AllCalls, CallName, Calls, DescriptorCallName, ReadinessCallName } from './calls.ts'
import type { EpollEvent, MessageRoom, OutgoingMessage, PollRequest, WindowSize } from './system.ts'

const messageFields = ['data', 'fds'] as const
const roomFields = ['buffer', 'maxFds'] as const
const noSize: WindowSize = { rows: 0, columns: 0 }

/** The public methods of Descriptors and Readiness, over their implementations. */
export class CheckedDescriptorCalls<Results extends Record<CallName, unknown>> {
  readonly #descriptors: Calls<Results, DescriptorCallName>
  readonly #readiness: Calls<Results, ReadinessCallName>

  constructor({ descriptors, readiness }: AllCalls<Results>) {
    this.#descriptors = descriptors
    this.#readiness = readiness
  }

  pipe2(flags = 0): Results['pipe2'] {
    return this.#descriptors.pipe2(checkMask(flags, 'flags'))
  }

  socketpair(domain: number, type: number, protocol = 0): Results['socketpair'] {
    return this.#descriptors.socketpair(
      checkInt(domain, 'domain'),
      checkMask(type, 'type'),
      checkInt(protocol, 'protocol'),
    )
  }

  read(fd: number, buffer: Uint8Array): Results['read'] {
    return this.#descriptors.read(checkInt(fd, 'fd'), checkBytes(buffer, 'buffer'))
  }

  write(fd: number, data: Uint8Array): Results['write'] {
    return this.#descriptors.write(checkInt(fd, 'fd'), checkBytes(data, 'data'))
  }

  send(fd: number, data: Uint8Array, flags = 0): Results['send'] {
    return this.#descriptors.send(checkInt(fd, 'fd'), checkBytes(data, 'data'), checkMask(flags, 'flags'))
  }

  recv(fd: number, buffer: Uint8Array, flags = 0): Results['recv'] {
    return this.#descriptors.recv(checkInt(fd, 'fd'), checkBytes(buffer, 'buffer'), checkMask(flags, 'flags'))
  }

  sendmsg(fd: number, message: OutgoingMessage, flags = 0): Results['sendmsg'] {
    checkInt(fd, 'fd')
    const { data, fds = [] } = checkFields(message, 'message', messageFields)
    const bytes = checkBytes(data, 'message.data')
    const passed = checkList(fds, () => 'message.fds', checkIntItem)
    return this.#descriptors.sendmsg(fd, bytes, passed, checkMask(flags, 'flags'))
  }

  recvmsg(fd: number, into: MessageRoom, flags = 0): Results['recvmsg'] {
    checkInt(fd, 'fd')
    const { buffer, maxFds = 0 } = checkFields(into, 'into', roomFields)
    const room = checkBytes(buffer, 'into.buffer')
    return this.#descriptors.recvmsg(fd, room, checkNotNegative(maxFds, 'into.maxFds'), checkMask(flags, 'flags'))
  }

  shutdown(fd: number, how: number): Results['shutdown'] {
    return this.#descriptors.shutdown(checkInt(fd, 'fd'), checkInt(how, 'how'))
  }

  close(fd: number): Results['close'] {
    return this.#descriptors.close(checkInt(fd, 'fd'))
  }

  dup(fd: number): Results['dup'] {
    return this.#descriptors.dup(checkInt(fd, 'fd'))
  }

  dup3(fd: number, target: number, flags = 0): Results['dup3'] {
    return this.#descriptors.dup3(checkInt(fd, 'fd'), checkInt(target, 'target'), checkMask(flags, 'flags'))
  }

  fcntl(fd: number, command: number, argument = 0): Results['fcntl'] {
    return this.#descriptors.fcntl(
      checkInt(fd, 'fd'),
      checkInt(command, 'command'),
      checkMask(argument, 'argument') | 0,
    )
  }

  getsockopt(fd: number, level: number, option: number): Results['getsockopt'] {
    return this.#descriptors.getsockopt(checkInt(fd, 'fd'), checkInt(level, 'level'), checkInt(option, 'option'))
  }

  setsockopt(fd: number, level: number, option: number, value: number): Results['setsockopt'] {
    return this.#descriptors.setsockopt(
      checkInt(fd, 'fd'),
      checkInt(level, 'level'),
      checkInt(option, 'option'),
      checkMask(value, 'value') | 0,
    )
  }

  bytesReadable(fd: number): Results['bytesReadable'] {
    return this.#descriptors.bytesReadable(checkInt(fd, 'fd'))
  }

  writeFile(path: string, text: string): Results['writeFile'] {
    return this.#descriptors.writeFile(checkString(path, 'path'), checkText(text, 'text'))
  }

  openpty(size?: WindowSize): Results['openpty'] {
    const { rows, columns } = size === undefined ? noSize : checkWindowSize(size, 'size')
    return this.#descriptors.openpty(rows, columns)
  }

  setWindowSize(fd: number, size: WindowSize): Results['setWindowSize'] {
    checkInt(fd, 'fd')
    const { rows, columns } = checkWindowSize(size, 'size')
    return this.#descriptors.setWindowSize(fd, rows, columns)
  }

  poll(fds: readonly PollRequest[], timeoutMs: number): Results['poll'] {
    const requests = checkList(fds, () => 'fds', checkPollRequest)
    return this.#readiness.poll(requests, checkTimeout(timeoutMs))
  }

  epollCreate1(flags = 0): Results['epollCreate1'] {
    return this.#readiness.epollCreate1(checkMask(flags, 'flags'))
  }

  epollCtl(epfd: number, op: number, fd: number, event?: EpollEvent): Results['epollCtl'] {
    return this.#readiness.epollCtl(
      checkInt(epfd, 'epfd'),
      checkInt(op, 'op'),
      checkInt(fd, 'fd'),
      event === undefined ? undefined : checkEpollEvent(event, 'event'),
    )
  }

  epollWait(epfd: number, maxEvents: number, timeoutMs: number): Results['epollWait'] {
    return this.#readiness.epollWait(checkInt(epfd, 'epfd'), checkInt(maxEvents, 'maxEvents'), checkTimeout(timeoutMs))
  }
}
