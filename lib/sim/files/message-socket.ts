/**
 * SOCK_DGRAM and SOCK_SEQPACKET pairs, unix(7): whole messages.
 *
 * A sequenced pair has an end of file, as a stream has. A datagram pair has none: its readers go on waiting when the
 * peer is closed.
 */

import { constants } from '../../system/constants.ts'
import { EAGAIN, ECONNREFUSED, EMSGSIZE, ENOTCONN, EOPNOTSUPP, EPIPE } from '../base/results.ts'
import type { OpenFile } from './open-file.ts'
import { collectRights, type Received } from './rights.ts'
import { messageTruesize } from './truesize.ts'
import { type Message, receiveShut, sendShut, UnixSocket } from './unix-socket.ts'
import { type Caller, QueuedWait, type WaitReason } from './wait.ts'

const { MSG_DONTWAIT, MSG_OOB, MSG_PEEK, MSG_TRUNC, POLLIN, POLLERR, SOCK_SEQPACKET } = constants

/** One end of a datagram or sequenced-packet pair. */
export class MessageSocket extends UnixSocket {
  override readonly keepsMessages = true

  get #sequenced(): boolean {
    return this.type === SOCK_SEQPACKET
  }

  send(task: Caller, data: Uint8Array, flags: number, fds: readonly number[]): number {
    if (this.#sequenced) {
      const error = this.takeError()
      if (error !== 0) return error
    }
    const rights = collectRights(task, fds)
    if (typeof rights === 'number') return rights
    if (flags & MSG_OOB) return -EOPNOTSUPP
    if (!this.takes(data.length)) return -EMSGSIZE
    return this.proceed(task, data, flags, rights, null)
  }

  protected override takes(bytes: number): boolean {
    return bytes <= this.sendBuffer - 32
  }

  /** Queues the message if there is room. */
  proceed(
    task: Caller,
    data: Uint8Array,
    flags: number,
    rights: readonly OpenFile[] | null,
    wait: MessageWrite | null,
  ): number {
    const error = this.takeError()
    if (error !== 0) return error
    if (this.shut & sendShut) {
      this.kernel.trace.shutdownSeen?.(this, sendShut)
      return -EPIPE
    }
    if (!this.hasRoom) {
      if (flags & MSG_DONTWAIT) return -EAGAIN
      return wait?.stay() ?? task.block(new MessageWrite(task, this, data, flags, rights))
    }
    const { peer } = this
    if (peer?.dead) this.#disconnect()
    if (peer === null || peer.dead || peer.shut & receiveShut) {
      if (peer?.dead) this.kernel.trace.endSeen?.(peer)
      else if (peer !== null) this.kernel.trace.shutdownSeen?.(peer, receiveShut)
      // Linux allocates the message before it checks the peer. Freeing it wakes writers.
      this.roomMade(1)
      return peer === null ? -ENOTCONN : peer.dead ? -ECONNREFUSED : -EPIPE
    }
    this.deliver(task, peer, data.slice(), messageTruesize(data.length), rights)
    peer.wakeReaders()
    return data.length
  }

  /** The first datagram to a closed peer ends the association and drops the peer's unread messages. */
  #disconnect(): void {
    this.peer = null
    for (const message of this.received.splice(0)) this.destroy(message)
  }

  receive<Answer>(task: Caller, buffer: Uint8Array, flags: number, into: Received<Answer>): Answer | number {
    if (flags & MSG_OOB) return -EOPNOTSUPP
    return this.proceedReceiving(task, buffer, flags, into, null)
  }

  proceedReceiving<Answer>(
    task: Caller,
    buffer: Uint8Array,
    flags: number,
    into: Received<Answer>,
    wait: MessageRead<Answer> | null,
  ): Answer | number {
    const error = this.takeError()
    if (error !== 0) return error
    const peek = (flags & MSG_PEEK) !== 0
    const { message, skip } = this.#choose(peek)
    if (message === undefined) {
      const ended = (this.shut & receiveShut) !== 0
      if (flags & MSG_DONTWAIT && !(ended && this.#sequenced)) return -EAGAIN
      if (ended) {
        this.kernel.trace.shutdownSeen?.(this, receiveShut)
        return into.answer(0, false)
      }
      return wait?.stay() ?? task.block(new MessageRead(task, this, buffer, flags, into))
    }
    this.kernel.trace.messageRead?.(message)
    const available = message.bytes.length - skip
    const bytes = Math.min(buffer.length, available)
    if (bytes < available) into.flags |= MSG_TRUNC
    buffer.set(message.bytes.subarray(skip, skip + bytes))
    this.passRights(message, peek, into)
    if (peek) {
      this.movePeek(bytes)
    } else {
      this.received.shift()
      this.movePeek(-message.bytes.length)
      this.destroy(message)
    }
    return into.answer(flags & MSG_TRUNC ? available : bytes, true)
  }

  /** The message to read, and how many of its bytes a peek's offset skips. */
  #choose(peek: boolean): { message: Message | undefined; skip: number } {
    if (!peek) return { message: this.received[0], skip: 0 }
    const { peekOffset } = this.options
    let skip = Math.max(peekOffset, 0)
    for (const message of this.received) {
      if (peekOffset < 0 || skip < message.bytes.length || (skip === 0 && !message.peeked)) {
        if (message.bytes.length === 0) message.peeked = true
        return { message, skip }
      }
      skip -= message.bytes.length
    }
    return { message: undefined, skip: 0 }
  }

  override readableBytes(): number {
    return this.#sequenced ? super.readableBytes() : (this.received[0]?.bytes.length ?? 0)
  }
}

/** A sender whose send buffer is full. */
class MessageWrite extends QueuedWait {
  readonly #socket: MessageSocket
  readonly #data: Uint8Array
  readonly #flags: number
  readonly #rights: readonly OpenFile[] | null

  constructor(
    task: Caller,
    socket: MessageSocket,
    data: Uint8Array,
    flags: number,
    rights: readonly OpenFile[] | null,
  ) {
    super(task, socket.queue, socket)
    this.#socket = socket
    this.#data = data
    this.#flags = flags
    this.#rights = rights
  }

  enter(): void {
    this.queue.joinShared(this)
  }

  attempt(): number {
    const socket = this.#socket
    if (socket.keepsWriterBlocked) return this.stay()
    return socket.proceed(this.task, this.#data, this.#flags, this.#rights, this)
  }

  get reason(): WaitReason {
    return { on: 'socket-write', file: this.#socket }
  }
}

/** A reader of an empty queue. One message wakes one reader, in the order of arrival. */
class MessageRead<Answer> extends QueuedWait {
  readonly #socket: MessageSocket
  readonly #buffer: Uint8Array
  readonly #flags: number
  readonly #into: Received<Answer>

  constructor(task: Caller, socket: MessageSocket, buffer: Uint8Array, flags: number, into: Received<Answer>) {
    super(task, socket.queue, socket)
    this.#socket = socket
    this.#buffer = buffer
    this.#flags = flags
    this.#into = into
  }

  enter(): void {
    this.queue.joinLast(this)
  }

  /** Events of room alone do not wake a reader. */
  override wake(events: number): boolean {
    return events !== 0 && !(events & (POLLIN | POLLERR)) ? false : super.wake(events)
  }

  attempt(): Answer | number {
    return this.#socket.proceedReceiving(this.task, this.#buffer, this.#flags, this.#into, this)
  }

  get reason(): WaitReason {
    return { on: 'socket-read', file: this.#socket }
  }
}
