/**
 * Sockets of a pair, unix(7): what streams and messages have in common.
 *
 * A socket has no buffer of its own size: a sender may queue at its peer until the memory its own messages hold (their truesize, not their
 * bytes) reaches its SO_SNDBUF, and it counts as writable only below a quarter of that.
 */

import { constants } from '../../system/constants.ts'
import { EBADF, ECONNRESET, EINVAL, ENOPROTOOPT, EOPNOTSUPP } from '../base/results.ts'
import { youngArray } from '../base/young-array.ts'
import { OpenFile, type PollTable } from './open-file.ts'
import type { Caller } from './wait.ts'
import { WaitQueue } from './wait-queue.ts'
import type { TracedMessage, TracedSocket, World } from './world.ts'

const { POLLIN, POLLRDNORM, POLLPRI, POLLRDBAND, POLLOUT, POLLWRNORM, POLLWRBAND } = constants
const { POLLERR, POLLHUP, POLLRDHUP, O_RDWR, O_NONBLOCK, MSG_DONTWAIT } = constants

/** What a reader is woken by. */
const dataEvents = POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND
/** What a writer is woken by. */
const roomEvents = POLLOUT | POLLWRNORM | POLLWRBAND

/** Bits of `shutdown`: nothing more is received, nothing more is sent. */
export const receiveShut = 1
export const sendShut = 2
const bothShut = receiveShut | sendShut

/** net.core.wmem_default and rmem_default. */
const defaultBufferBytes = 212_992
/** net.core.wmem_max. */
const largestBufferBytes = 4_194_304
const smallestSendBuffer = 4608
const smallestReceiveBuffer = 2304
/** SCM_MAX_FD. */
const mostRights = 253
const noDescriptors: readonly number[] = []

/** One message, or one chunk of a stream, in a receive queue (`struct sk_buff`). */
export interface Message extends TracedMessage {
  readonly bytes: Uint8Array
  /** How many of its bytes a stream's reader has taken. */
  consumed: number
  /** Descriptors that travel with it (SCM_RIGHTS). */
  rights: readonly OpenFile[] | null
  /** What it takes of the sender's buffer. */
  readonly cost: number
  readonly sender: UnixSocket
  /** The sending process, where either side asked for credentials; messages of different senders are not read as one. */
  readonly pid: number
  /** Seen by a peek, which matters to an empty one. */
  peeked: boolean
}

/** Where a read puts what it gets besides bytes, and the form of its answer. */
export interface Received<Answer> {
  /** MSG_* bits to return. */
  flags: number
  /** Takes over the descriptors of a message. */
  take(rights: readonly OpenFile[]): void
  /** The call's answer; `whole` where it went through to control messages, which an end of file or urgent data may not. */
  answer(bytes: number, whole: boolean): Answer
}

/** A read without room for descriptors: they are closed, and the bytes are the answer. */
export class BytesOnly implements Received<number> {
  flags = 0

  take(rights: readonly OpenFile[]): void {
    dropRights(rights)
  }

  answer(bytes: number): number {
    return bytes
  }
}

/** Gives up the files of a message, the last one first, so that they end in order: see World.finishLater. */
export function dropRights(rights: readonly OpenFile[]): void {
  for (let i = rights.length - 1; i >= 0; i--) rights[i]!.releaseLater()
}

/** One of a pair of sockets. */
export abstract class UnixSocket extends OpenFile implements TracedSocket {
  readonly type: number
  peer: UnixSocket | null = null
  /** All its descriptors are closed. */
  dead = false
  shut = 0
  /** A pending error (`sk_err`), told and cleared by the next call that looks. */
  error = 0
  readonly received = youngArray<Message>()
  /** Bytes that its queued messages hold, SIOCOUTQ. */
  queuedCost = 0
  sendBuffer = defaultBufferBytes
  /** SO_PEEK_OFF: where the next peek begins; -1 when peeks begin at the front. */
  peekOffset = -1
  /** The byte of urgent data, which stands in the queue too. */
  urgent: Message | null = null
  /** Blocked readers and writers and all who poll, in one queue. */
  readonly queue = new WaitQueue()
  readonly #creatorPid: number
  readonly #options = new Map<number, number>([[constants.SO_RCVBUF, defaultBufferBytes]])

  constructor(kernel: World, type: number, flags: number, creatorPid: number) {
    super(kernel, O_RDWR | (flags & O_NONBLOCK))
    this.type = type
    this.#creatorPid = creatorPid
  }

  get description(): string {
    return `socket ${this.id}`
  }

  override get counterpart(): OpenFile | undefined {
    return this.peer ?? undefined
  }

  /** Whether the peer's end and its shutdowns show here. */
  protected get connected(): boolean {
    return this.type !== constants.SOCK_DGRAM
  }

  get wantsUrgentInline(): boolean {
    return this.#option(constants.SO_OOBINLINE) !== 0
  }

  get wantsCredentials(): boolean {
    return this.#option(constants.SO_PASSCRED) !== 0
  }

  /** send(2) and sendmsg(2), with descriptors to pass. */
  abstract send(task: Caller, data: Uint8Array, flags: number, fds: readonly number[]): number
  /** recv(2) and recvmsg(2). */
  abstract receive<Answer>(task: Caller, buffer: Uint8Array, flags: number, into: Received<Answer>): Answer | number

  override read(task: Caller, buffer: Uint8Array): number {
    if (buffer.length === 0) return 0
    return this.receive(task, buffer, this.callFlags(0), new BytesOnly())
  }

  override write(task: Caller, data: Uint8Array): number {
    return this.send(task, data, this.callFlags(0), noDescriptors)
  }

  /** The files to pass; -EBADF when a number names none, -EINVAL when they are too many. */
  protected collectRights(task: Caller, fds: readonly number[]): readonly OpenFile[] | null | number {
    if (fds.length === 0) return null
    if (fds.length > mostRights) return -EINVAL
    const rights: OpenFile[] = []
    for (const fd of fds) {
      const file = task.process.descriptors.get(fd)
      if (file === undefined) return -EBADF
      rights.push(file)
    }
    return rights
  }

  /** The flags of a call, O_NONBLOCK being MSG_DONTWAIT for all of them. */
  callFlags(flags: number): number {
    return this.nonBlocking ? flags | MSG_DONTWAIT : flags
  }

  /** Takes the pending error, as a negative errno or 0. */
  takeError(): number {
    const error = this.error
    if (error !== 0 && this.peer !== null) this.kernel.trace.toldEnd?.(this.peer)
    this.error = 0
    return -error
  }

  /** Whether another message may be queued. */
  get hasRoom(): boolean {
    return this.queuedCost < this.sendBuffer
  }

  /** Whether a quarter of the buffer is not yet taken, or will not be with `more`: poll's idea of writable, which is not the writer's. */
  #hasAmpleRoom(more = 0): boolean {
    // The count of a socket without messages is 1.
    return (this.queuedCost + more + 1) * 4 <= this.sendBuffer
  }

  /** Puts a message into the peer's queue. */
  protected deliver(
    task: Caller,
    peer: UnixSocket,
    bytes: Uint8Array,
    cost: number,
    rights: readonly OpenFile[] | null,
  ): Message {
    const credentials = this.wantsCredentials || peer.wantsCredentials
    const message: Message = {
      bytes,
      consumed: 0,
      rights,
      cost,
      sender: this,
      pid: credentials ? task.process.id : 0,
      peeked: false,
    }
    this.kernel.trace.messageSent?.(message)
    if (rights !== null) for (const file of rights) file.retain()
    this.queuedCost += cost
    peer.received.push(message)
    return message
  }

  /** Tells readers that there is data. */
  wakeReaders(): void {
    this.queue.wake(dataEvents)
  }

  /** A message of this socket's is gone: its memory is free again. */
  #freed(message: Message): void {
    this.kernel.trace.messageFreed?.(message)
    this.queuedCost -= message.cost
    // Room is reckoned while the message's last byte still counts.
    this.roomMade(1)
  }

  /** Tells writers of room, if there is enough of it. */
  roomMade(stillCounted = 0): void {
    if (this.#hasAmpleRoom(stillCounted)) this.queue.wake(roomEvents)
  }

  /** Destroys a message that left the queue. */
  protected destroy(message: Message): void {
    const { rights } = message
    message.rights = null
    if (rights !== null) dropRights(rights)
    message.sender.#freed(message)
  }

  /** Moves the rights out of a message that is read, or copies them for a peek. */
  protected passRights(message: Message, peek: boolean, into: Received<unknown>): void {
    const { rights } = message
    if (rights === null) return
    if (peek) for (const file of rights) file.retain()
    else message.rights = null
    into.take(rights)
  }

  /** Moves the place of the next peek, where SO_PEEK_OFF is in use. */
  protected movePeek(bytes: number): void {
    if (this.peekOffset >= 0) this.peekOffset = Math.max(0, this.peekOffset + bytes)
  }

  shutdown(how: number): number {
    if (how < 0 || how > 2) return -EINVAL
    const bits = how + 1
    this.kernel.trace.shutDown?.(this, bits)
    this.shut |= bits
    this.queue.wakeAll(0)
    const { peer } = this
    if (peer !== null && this.connected) {
      const peerBits = (bits & receiveShut ? sendShut : 0) | (bits & sendShut ? receiveShut : 0)
      this.kernel.trace.shutDown?.(peer, peerBits)
      peer.shut |= peerBits
      peer.queue.wakeAll(0)
    }
    return 0
  }

  poll(table: PollTable | null): number {
    table?.watch(this.queue)
    let events = 0
    if (this.error !== 0) events |= POLLERR
    if (this.shut === bothShut) events |= POLLHUP
    if (this.shut & receiveShut) events |= POLLRDHUP | POLLIN | POLLRDNORM
    if (this.received.length > 0) events |= POLLIN | POLLRDNORM
    if (this.urgent !== null) events |= POLLPRI
    if (this.#hasAmpleRoom()) events |= POLLOUT | POLLWRNORM | POLLWRBAND
    return events
  }

  protected override closed(): void {
    const { peer } = this
    this.dead = true
    this.shut = bothShut
    this.urgent = null
    if (peer !== null && this.connected) {
      this.kernel.trace.shutDown?.(peer, bothShut, this)
      peer.shut = bothShut
      // One empty message in front is not lost data: reading an urgent byte leaves such a one behind.
      const [first] = this.received
      const unread = first !== undefined && (this.received.length > 1 || first.consumed < first.bytes.length)
      if (unread) peer.error = ECONNRESET
      peer.queue.wakeAll(0)
    }
    this.peer = null
    for (let message = this.received.shift(); message !== undefined; message = this.received.shift())
      this.destroy(message)
  }

  override readableBytes(): number {
    let bytes = 0
    for (const message of this.received) bytes += message.bytes.length - message.consumed
    return bytes
  }

  /** getsockopt(2): the value, in a list because it may be negative, or a negative errno. */
  getOption(level: number, option: number): [value: number] | number {
    if (level !== constants.SOL_SOCKET) return -EOPNOTSUPP
    const value = this.#valueOf(option)
    return value === undefined ? -ENOPROTOOPT : [value]
  }

  #valueOf(option: number): number | undefined {
    switch (option) {
      case constants.SO_TYPE:
        return this.type
      case constants.SO_ERROR:
        return -this.takeError()
      case constants.SO_SNDBUF:
        return this.sendBuffer
      case constants.SO_DOMAIN:
        return constants.AF_UNIX
      case constants.SO_PROTOCOL:
      case constants.SO_ACCEPTCONN:
      case constants.SO_LINGER:
        return 0
      case constants.SO_PEERCRED:
        return this.#creatorPid
      case constants.SO_SNDLOWAT:
        return 1
      case constants.SO_RCVLOWAT:
        return this.lowWater
      case constants.SO_PEEK_OFF:
        return this.peekOffset
      default:
        return settableOptions.has(option) ? this.#option(option) : undefined
    }
  }

  setOption(level: number, option: number, value: number): number {
    if (level !== constants.SOL_SOCKET) return -EOPNOTSUPP
    switch (option) {
      case constants.SO_SNDBUF:
        this.#setSendBuffer(Math.min(value >>> 0, largestBufferBytes))
        return 0
      case constants.SO_SNDBUFFORCE:
        this.#setSendBuffer(Math.max(value, 0))
        return 0
      case constants.SO_RCVBUF:
        this.#options.set(constants.SO_RCVBUF, receiveBuffer(Math.min(value >>> 0, largestBufferBytes)))
        return 0
      case constants.SO_RCVBUFFORCE:
        this.#options.set(constants.SO_RCVBUF, receiveBuffer(Math.max(value, 0)))
        return 0
      case constants.SO_RCVLOWAT:
        this.#options.set(option, value < 0 ? 0x7fffffff : value || 1)
        return 0
      case constants.SO_PEEK_OFF:
        this.peekOffset = value
        return 0
      case constants.SO_LINGER:
        // The option is a struct of two integers: one is too few.
        return -EINVAL
      default:
        if (!settableOptions.has(option)) return -ENOPROTOOPT
        this.#options.set(option, value === 0 ? 0 : 1)
        return 0
    }
  }

  /** SO_RCVLOWAT. */
  get lowWater(): number {
    return this.#options.get(constants.SO_RCVLOWAT) ?? 1
  }

  #option(option: number): number {
    return this.#options.get(option) ?? 0
  }

  #setSendBuffer(bytes: number): void {
    this.sendBuffer = Math.max(Math.min(bytes, 0x3fffffff) * 2, smallestSendBuffer)
    this.roomMade()
  }
}

function receiveBuffer(bytes: number): number {
  return Math.max(Math.min(bytes, 0x3fffffff) * 2, smallestReceiveBuffer)
}

/** Options that are on or off and change nothing here, apart from SO_PASSCRED and SO_OOBINLINE. */
const settableOptions: ReadonlySet<number> = new Set([
  constants.SO_DEBUG,
  constants.SO_REUSEADDR,
  constants.SO_DONTROUTE,
  constants.SO_BROADCAST,
  constants.SO_RCVBUF,
  constants.SO_KEEPALIVE,
  constants.SO_OOBINLINE,
  constants.SO_PASSCRED,
])
