/**
 * Reads of a SOCK_STREAM socket, unix(7).
 *
 * A read takes chunk after chunk until its buffer is full, or no chunk is left and it has the bytes it needs. It stops
 * early before urgent data, before another sender's bytes (SO_PASSCRED), and after a chunk that passes descriptors.
 */

import { constants } from '../../system/constants.ts'
import { removeFrom } from '../base/remove-from.ts'
import { EAGAIN, EINVAL, restartOrEintr } from '../base/results.ts'
import { copyBytes } from './bytes.ts'
import type { Received } from './rights.ts'
import type { StreamSocket } from './stream-socket.ts'
import { type Message, receiveShut } from './unix-socket.ts'
import { type Caller, QueuedWait, type WaitReason } from './wait.ts'

const { MSG_DONTWAIT, MSG_OOB, MSG_PEEK, MSG_WAITALL } = constants

/** A read under way. */
export class StreamReading<Answer> {
  readonly #socket: StreamSocket
  readonly #buffer: Uint8Array
  readonly #flags: number
  readonly #into: Received<Answer>
  /** Bytes needed before the read returns: SO_RCVLOWAT, or all with MSG_WAITALL. */
  readonly #target: number
  #copied = 0
  /** Bytes still to be left out, from SO_PEEK_OFF. */
  #skip: number
  /** The next message to read. */
  #from: Message | undefined
  /** The sender of the bytes copied so far, with SO_PASSCRED. */
  #pid: number | undefined

  constructor(socket: StreamSocket, buffer: Uint8Array, flags: number, into: Received<Answer>) {
    const { lowWater, peekOffset } = socket.options
    this.#socket = socket
    this.#buffer = buffer
    this.#flags = flags
    this.#into = into
    this.#target = (flags & MSG_WAITALL ? buffer.length : Math.min(lowWater, buffer.length)) || 1
    this.#skip = flags & MSG_PEEK ? Math.max(peekOffset, 0) : 0
  }

  get socket(): StreamSocket {
    return this.#socket
  }

  get copied(): number {
    return this.#copied
  }

  get #peeks(): boolean {
    return (this.#flags & MSG_PEEK) !== 0
  }

  /** Reads on. `wait` is the blocked call that tries again, null at the first attempt. */
  proceed(task: Caller, wait: StreamRead<Answer> | null): Answer | number {
    this.#from = this.#socket.received[0]
    this.#pid = undefined
    for (let goesOn = true; goesOn; ) {
      const message = this.#skipLeftOut()
      if (message !== undefined) {
        goesOn = this.#isOfSameSender(message) && this.#copyFrom(message)
        continue
      }
      const outcome = this.#withNothingToRead()
      if (typeof outcome === 'number') return outcome
      if (outcome === 'waits') {
        return wait?.stay() ?? task.block(new StreamRead(task, this))
      }
      goesOn = false
    }
    return this.#into.answer(this.#copied, true)
  }

  /** The result of a read that a signal ends. */
  interrupted(): Answer | number {
    return this.#copied > 0 ? this.#into.answer(this.#copied, false) : restartOrEintr
  }

  /** What a read does when nothing more can be read: it ends with the bytes it has, waits, or fails with an errno. */
  #withNothingToRead(): 'ends' | 'waits' | number {
    const socket = this.#socket
    // Urgent data stopped this read: a read never goes past it.
    if (this.#from !== undefined && this.#copied > 0) return 'ends'
    if (this.#copied >= this.#target) return 'ends'
    const error = socket.takeError()
    if (error !== 0) return this.#copied === 0 ? error : 'ends'
    if (socket.shut & receiveShut) {
      socket.kernel.trace.shutdownSeen?.(socket, receiveShut)
      return 'ends'
    }
    if (this.#flags & MSG_DONTWAIT) return this.#copied === 0 ? -EAGAIN : 'ends'
    return 'waits'
  }

  /** With SO_PASSCRED one read returns the bytes of one sender only. */
  #isOfSameSender(message: Message): boolean {
    if (!this.#socket.options.wantsCredentials) return true
    this.#pid ??= message.pid
    return message.pid === this.#pid
  }

  /** Copies what fits of one message; whether the read goes on with the next message. */
  #copyFrom(message: Message): boolean {
    const socket = this.#socket
    const start = message.consumed + this.#skip
    const bytes = Math.min(message.bytes.length - start, this.#buffer.length - this.#copied)
    socket.kernel.trace.messageRead?.(message)
    copyBytes(message.bytes, start, this.#buffer, this.#copied, bytes)
    this.#copied += bytes
    // One call returns the descriptors of at most one message.
    const last = message.rights !== null
    socket.passRights(message, this.#peeks, this.#into)
    if (this.#peeks) {
      // A peek goes on with a full buffer: it may still copy the descriptors of the next message.
      socket.movePeek(bytes)
      this.#skip = 0
      this.#from = this.#after(message)
      return !last && this.#from !== undefined
    }
    message.consumed += bytes
    socket.unreadBytes -= bytes
    socket.movePeek(-bytes)
    if (message.consumed < message.bytes.length) return false
    this.#remove(message)
    this.#from = socket.received[0]
    return !last && this.#copied < this.#buffer.length
  }

  /** The message to read from: past urgent data, and past the bytes a peek's offset leaves out. */
  #skipLeftOut(): Message | undefined {
    let message = this.#pastUrgent()
    while (message !== undefined && this.#skip >= message.bytes.length - message.consumed) {
      this.#skip -= message.bytes.length - message.consumed
      // An urgent byte among those left out counts like any other.
      message = this.#after(message)
    }
    return message
  }

  /**
   * The urgent byte is a message of the queue. A plain read stops before it; a read that begins at it steps over it, or
   * reads it with SO_OOBINLINE. Once received with MSG_OOB it leaves an empty message, where a read stops too.
   */
  #pastUrgent(): Message | undefined {
    const socket = this.#socket
    let message = this.#from
    if (message !== undefined && message.consumed === message.bytes.length) {
      if (this.#copied > 0 && socket.urgent === null) return undefined
      const next = this.#after(message)
      if (!this.#peeks) this.#remove(message)
      message = next
    }
    if (message === undefined || message !== socket.urgent) return message
    if (this.#copied > 0) return undefined
    const { wantsUrgentInline } = socket.options
    if (this.#peeks) return wantsUrgentInline ? message : this.#after(message)
    socket.urgent = null
    if (wantsUrgentInline) return message
    this.#remove(message)
    return socket.received[0]
  }

  #after(message: Message): Message | undefined {
    const { received } = this.#socket
    return received[received.indexOf(message) + 1]
  }

  #remove(message: Message): void {
    removeFrom(this.#socket.received, message)
    this.#socket.destroy(message)
  }
}

/** A reader that has fewer bytes than it needs. */
class StreamRead<Answer> extends QueuedWait {
  readonly #reading: StreamReading<Answer>

  constructor(task: Caller, reading: StreamReading<Answer>) {
    super(task, reading.socket.queue, reading.socket)
    this.#reading = reading
  }

  enter(): void {
    this.queue.joinShared(this)
  }

  attempt(): Answer | number {
    return this.#reading.proceed(this.task, this)
  }

  override get movedBytes(): number {
    return this.#reading.copied
  }

  override interrupted(): Answer | number {
    this.leave()
    return this.#reading.interrupted()
  }

  get reason(): WaitReason {
    return { on: 'socket-read', file: this.#reading.socket }
  }
}

/** recv(2) with MSG_OOB: the urgent byte, once. */
export function readUrgent<Answer>(
  socket: StreamSocket,
  buffer: Uint8Array,
  flags: number,
  into: Received<Answer>,
): Answer | number {
  const message = socket.urgent
  if (socket.options.wantsUrgentInline || message === null) return -EINVAL
  socket.kernel.trace.messageRead?.(message)
  if (buffer.length > 0) buffer[0] = message.bytes[0]!
  if (!(flags & MSG_PEEK)) {
    socket.urgent = null
    message.consumed = 1
    socket.unreadBytes--
  }
  into.flags |= MSG_OOB
  return into.answer(1, false)
}
