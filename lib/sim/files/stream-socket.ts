/**
 * SOCK_STREAM pairs, unix(7): a stream of bytes, sent in chunks.
 *
 * A write is cut into chunks. A chunk is accepted while the sender's buffer is not full, so the last one may overfill
 * it. A chunk's memory is free again only once its last byte is read.
 */

import { constants } from '../../system/constants.ts'
import { removeFrom } from '../base/remove-from.ts'
import { blocked, EAGAIN, EINVAL, ENOTCONN, EOPNOTSUPP, EPIPE, restartOrEintr } from '../base/results.ts'
import { SIGPIPE } from '../base/signal-numbers.ts'
import { copyBytes, halfInPieces } from './bytes.ts'
import type { OpenFile } from './open-file.ts'
import { streamChunkBytes, streamTruesize } from './truesize.ts'
import { type Message, type Received, receiveShut, sendShut, UnixSocket } from './unix-socket.ts'
import { type Caller, QueuedWait, type WaitReason } from './wait.ts'

const { MSG_DONTWAIT, MSG_NOSIGNAL, MSG_OOB, MSG_PEEK, MSG_WAITALL } = constants

/** A write under way. */
interface Sending {
  readonly data: Uint8Array
  /** Length of the data without the urgent byte, which is its last. */
  readonly plainBytes: number
  readonly flags: number
  rights: readonly OpenFile[] | null
  sent: number
}

/** A read under way. */
interface Receiving<Answer> {
  readonly buffer: Uint8Array
  readonly flags: number
  readonly into: Received<Answer>
  /** Bytes needed before the read returns: SO_RCVLOWAT, or all with MSG_WAITALL. */
  readonly target: number
  copied: number
  /** Bytes still to be left out, from SO_PEEK_OFF. */
  skip: number
  /** The next message to read. */
  from: Message | undefined
  /** The sender of the bytes copied so far, with SO_PASSCRED. */
  pid: number | undefined
}

/** One end of a stream. */
export class StreamSocket extends UnixSocket {
  /** FIONREAD. As on Linux, an urgent byte that a read steps over stays counted. */
  #unreadBytes = 0

  override readableBytes(): number {
    return this.#unreadBytes
  }

  send(task: Caller, data: Uint8Array, flags: number, fds: readonly number[]): number {
    const rights = this.collectRights(task, fds)
    if (typeof rights === 'number') return rights
    const urgent = (flags & MSG_OOB) !== 0
    if (urgent && data.length === 0) return -EOPNOTSUPP
    if (this.peer === null) return -ENOTCONN
    if (this.shut & sendShut) return this.#broken(task, flags)
    return this.proceed(task, { data, plainBytes: data.length - (urgent ? 1 : 0), flags, rights, sent: 0 }, null)
  }

  /** Queues chunks while there is room. `wait` is the blocked call that tries again, null at the first attempt. */
  proceed(task: Caller, sending: Sending, wait: StreamWrite | null): number {
    const { data, flags } = sending
    while (sending.sent < data.length) {
      const error = this.takeError()
      // As on Linux, neither failure raises SIGPIPE here, and a partly sent write returns its byte count instead.
      if (error !== 0) return sending.sent || error
      if (this.shut & sendShut) {
        this.kernel.trace.shutdownSeen?.(this, sendShut)
        return sending.sent || -EPIPE
      }
      if (!this.hasRoom) {
        if (flags & MSG_DONTWAIT) return sending.sent || -EAGAIN
        if (wait === null) return task.block(new StreamWrite(task, this, sending))
        wait.enter()
        return blocked
      }
      this.#sendChunk(task, sending)
    }
    return sending.sent
  }

  /** At most half of the buffer, so that two chunks fit. */
  get #chunkBytes(): number {
    return Math.min(Math.floor(this.sendBuffer / 2) - 64, streamChunkBytes)
  }

  override shortWriteBytes(bytes: number): number {
    return halfInPieces(bytes, this.#chunkBytes)
  }

  #sendChunk(task: Caller, sending: Sending): void {
    const { data, sent, plainBytes } = sending
    const urgent = sent === plainBytes
    const bytes = urgent ? 1 : Math.min(plainBytes - sent, this.#chunkBytes)
    const peer = this.peer as StreamSocket
    const message = this.deliver(task, peer, data.slice(sent, sent + bytes), streamTruesize(bytes), sending.rights)
    peer.#unreadBytes += bytes
    sending.rights = null
    sending.sent += bytes
    if (urgent) peer.urgent = message
    peer.wakeReaders()
  }

  #broken(task: Caller, flags: number): number {
    this.kernel.trace.shutdownSeen?.(this, sendShut)
    if (!(flags & MSG_NOSIGNAL)) this.kernel.raise(task, SIGPIPE)
    return -EPIPE
  }

  receive<Answer>(task: Caller, buffer: Uint8Array, flags: number, into: Received<Answer>): Answer | number {
    if (flags & MSG_OOB) return this.#receiveUrgent(buffer, flags, into)
    const target = (flags & MSG_WAITALL ? buffer.length : Math.min(this.lowWater, buffer.length)) || 1
    const skip = flags & MSG_PEEK ? Math.max(this.peekOffset, 0) : 0
    return this.proceedReceiving(
      task,
      { buffer, flags, into, target, copied: 0, skip, from: undefined, pid: undefined },
      null,
    )
  }

  /** Reads chunk after chunk until the buffer is full, or the queue is empty and the target reached. */
  proceedReceiving<Answer>(
    task: Caller,
    receiving: Receiving<Answer>,
    wait: StreamRead<Answer> | null,
  ): Answer | number {
    receiving.from = this.received[0]
    receiving.pid = undefined
    for (let goesOn = true; goesOn; ) {
      const message = this.#skip(receiving.from, receiving)
      if (message !== undefined) {
        goesOn = this.#isOfSameSender(message, receiving) && this.#readFrom(message, receiving)
        continue
      }
      const outcome = this.#withNothingToRead(receiving)
      if (typeof outcome === 'number') return outcome
      if (outcome === 'waits') {
        if (wait === null) return task.block(new StreamRead(task, this, receiving))
        wait.enter()
        return blocked
      }
      goesOn = false
    }
    return receiving.into.answer(receiving.copied, true)
  }

  /** What a read does that finds nothing more: it ends with the bytes it has, waits, or fails with the errno. */
  #withNothingToRead({ from, copied, target, flags }: Receiving<unknown>): 'ends' | 'waits' | number {
    // Urgent data stopped this read: a read never goes past it.
    if (from !== undefined && copied > 0) return 'ends'
    if (copied >= target) return 'ends'
    const error = this.takeError()
    if (error !== 0) return copied === 0 ? error : 'ends'
    if (this.shut & receiveShut) {
      this.kernel.trace.shutdownSeen?.(this, receiveShut)
      return 'ends'
    }
    if (flags & MSG_DONTWAIT) return copied === 0 ? -EAGAIN : 'ends'
    return 'waits'
  }

  /** With SO_PASSCRED one read returns the bytes of one sender only. */
  #isOfSameSender(message: Message, receiving: Receiving<unknown>): boolean {
    if (!this.wantsCredentials) return true
    receiving.pid ??= message.pid
    return message.pid === receiving.pid
  }

  /** Copies of one message what fits; whether the read goes on with the next message. */
  #readFrom(message: Message, receiving: Receiving<unknown>): boolean {
    const { buffer, flags, into } = receiving
    const peek = (flags & MSG_PEEK) !== 0
    const start = message.consumed + receiving.skip
    const bytes = Math.min(message.bytes.length - start, buffer.length - receiving.copied)
    this.kernel.trace.messageRead?.(message)
    copyBytes(message.bytes, start, buffer, receiving.copied, bytes)
    receiving.copied += bytes
    // One call returns the descriptors of at most one message.
    const last = message.rights !== null
    this.passRights(message, peek, into)
    if (peek) {
      // A peek goes on with a full buffer: it may still copy the descriptors of the next message.
      this.movePeek(bytes)
      receiving.skip = 0
      receiving.from = this.#after(message)
      return !last && receiving.from !== undefined
    }
    message.consumed += bytes
    this.#unreadBytes -= bytes
    this.movePeek(-bytes)
    if (message.consumed < message.bytes.length) return false
    this.#remove(message)
    receiving.from = this.received[0]
    return !last && receiving.copied < buffer.length
  }

  /** The message to read from: past urgent data, and past the bytes a peek's offset leaves out. */
  #skip(from: Message | undefined, receiving: Receiving<unknown>): Message | undefined {
    let message = this.#pastUrgent(from, receiving)
    while (message !== undefined && receiving.skip >= message.bytes.length - message.consumed) {
      receiving.skip -= message.bytes.length - message.consumed
      // Urgent bytes among those left out count as any other.
      message = this.#after(message)
    }
    return message
  }

  /**
   * The urgent byte is a message of the queue. A plain read stops before it; a read that begins at it steps over it, or
   * reads it with SO_OOBINLINE. Once received with MSG_OOB it leaves an empty message, where a read stops too.
   */
  #pastUrgent(first: Message | undefined, receiving: Receiving<unknown>): Message | undefined {
    let message = first
    const peek = (receiving.flags & MSG_PEEK) !== 0
    if (message !== undefined && message.consumed === message.bytes.length) {
      if (receiving.copied > 0 && this.urgent === null) return undefined
      const next = this.#after(message)
      if (!peek) this.#remove(message)
      message = next
    }
    if (message === undefined || message !== this.urgent) return message
    if (receiving.copied > 0) return undefined
    if (peek) return this.wantsUrgentInline ? message : this.#after(message)
    this.urgent = null
    if (this.wantsUrgentInline) return message
    this.#remove(message)
    return this.received[0]
  }

  /** recv(2) with MSG_OOB: the urgent byte, once. */
  #receiveUrgent<Answer>(buffer: Uint8Array, flags: number, into: Received<Answer>): Answer | number {
    const message = this.urgent
    if (this.wantsUrgentInline || message === null) return -EINVAL
    this.kernel.trace.messageRead?.(message)
    if (buffer.length > 0) buffer[0] = message.bytes[0]!
    if (!(flags & MSG_PEEK)) {
      this.urgent = null
      message.consumed = 1
      this.#unreadBytes--
    }
    into.flags |= MSG_OOB
    return into.answer(1, false)
  }

  #after(message: Message): Message | undefined {
    return this.received[this.received.indexOf(message) + 1]
  }

  #remove(message: Message): void {
    removeFrom(this.received, message)
    this.destroy(message)
  }
}

/** A writer whose send buffer is full. It waits in its own socket's queue, so incoming data wakes it too. */
class StreamWrite extends QueuedWait {
  readonly #socket: StreamSocket
  readonly #sending: Sending

  constructor(task: Caller, socket: StreamSocket, sending: Sending) {
    super(task, socket.queue, socket)
    this.#socket = socket
    this.#sending = sending
  }

  enter(): void {
    this.queue.joinShared(this)
  }

  attempt(): number {
    const socket = this.#socket
    // As on Linux, a blocked writer needs one byte more of room than a first attempt.
    if (socket.error === 0 && !(socket.shut & sendShut) && socket.queuedCost + 1 >= socket.sendBuffer) {
      this.enter()
      return blocked
    }
    return socket.proceed(this.task, this.#sending, this)
  }

  override get movedBytes(): number {
    return this.#sending.sent
  }

  override interrupted(): number {
    this.leave()
    return this.#sending.sent || restartOrEintr
  }

  get reason(): WaitReason {
    return { on: 'socket-write', file: this.#socket }
  }
}

/** A reader that has fewer bytes than its target. */
class StreamRead<Answer> extends QueuedWait {
  readonly #socket: StreamSocket
  readonly #receiving: Receiving<Answer>

  constructor(task: Caller, socket: StreamSocket, receiving: Receiving<Answer>) {
    super(task, socket.queue, socket)
    this.#socket = socket
    this.#receiving = receiving
  }

  enter(): void {
    this.queue.joinShared(this)
  }

  attempt(): Answer | number {
    return this.#socket.proceedReceiving(this.task, this.#receiving, this)
  }

  override get movedBytes(): number {
    return this.#receiving.copied
  }

  override interrupted(): Answer | number {
    this.leave()
    const { copied, into } = this.#receiving
    return copied > 0 ? into.answer(copied, false) : restartOrEintr
  }

  get reason(): WaitReason {
    return { on: 'socket-read', file: this.#socket }
  }
}
