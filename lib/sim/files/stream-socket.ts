/**
 * SOCK_STREAM pairs, unix(7): a stream of bytes, sent in chunks. {@link StreamReading} is how they are read.
 *
 * A write is cut into chunks. A chunk is accepted while the sender's buffer is not full, so the last one may overfill
 * it. A chunk's memory is free again only once its last byte is read.
 */

import { constants } from '../../system/constants.ts'
import { EAGAIN, ENOTCONN, EOPNOTSUPP, EPIPE, restartOrEintr } from '../base/results.ts'
import { SIGPIPE } from '../base/signal-numbers.ts'
import { halfInPieces } from './bytes.ts'
import type { OpenFile } from './open-file.ts'
import { collectRights, type Received } from './rights.ts'
import { readUrgent, StreamReading } from './stream-read.ts'
import { streamChunkBytes, streamTruesize } from './truesize.ts'
import { sendShut, UnixSocket } from './unix-socket.ts'
import { type Caller, QueuedWait, type WaitReason } from './wait.ts'

const { MSG_DONTWAIT, MSG_NOSIGNAL, MSG_OOB } = constants

/** A write under way. */
interface Sending {
  readonly data: Uint8Array
  /** Length of the data without the urgent byte, which is its last. */
  readonly plainBytes: number
  readonly flags: number
  rights: readonly OpenFile[] | null
  sent: number
}

/** One end of a stream. */
export class StreamSocket extends UnixSocket {
  /** FIONREAD. As on Linux, an urgent byte that a read steps over stays counted. */
  unreadBytes = 0

  override readableBytes(): number {
    return this.unreadBytes
  }

  send(task: Caller, data: Uint8Array, flags: number, fds: readonly number[]): number {
    const rights = collectRights(task, fds)
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
        return wait?.stay() ?? task.block(new StreamWrite(task, this, sending))
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

  protected override takes(bytes: number): boolean {
    return bytes > 0
  }

  #sendChunk(task: Caller, sending: Sending): void {
    const { data, sent, plainBytes } = sending
    const urgent = sent === plainBytes
    const bytes = urgent ? 1 : Math.min(plainBytes - sent, this.#chunkBytes)
    const peer = this.peer as StreamSocket
    const message = this.deliver(task, peer, data.slice(sent, sent + bytes), streamTruesize(bytes), sending.rights)
    peer.unreadBytes += bytes
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
    if (flags & MSG_OOB) return readUrgent(this, buffer, flags, into)
    return new StreamReading(this, buffer, flags, into).proceed(task, null)
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
    if (socket.keepsWriterBlocked) return this.stay()
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
