/**
 * Sockets of a pair, unix(7): what streams and messages have in common.
 *
 * A message waits in the receiver's queue but is charged to its sender. A sender may queue until the memory of its
 * messages (their truesize, not their length) reaches its SO_SNDBUF. poll(2) calls it writable only while that memory
 * is at most a quarter of SO_SNDBUF.
 */

import { constants } from '../../system/constants.ts'
import { ECONNRESET, EINVAL, ENOPROTOOPT, EOPNOTSUPP } from '../base/results.ts'
import { youngArray } from '../base/young-array.ts'
import { OpenFile, type PollTable } from './open-file.ts'
import { BytesOnly, dropRights, type Received } from './rights.ts'
import { SocketOptions } from './socket-options.ts'
import type { Caller } from './wait.ts'
import { WaitQueue } from './wait-queue.ts'
import type { TracedMessage, TracedSocket, World } from './world.ts'

const { POLLIN, POLLRDNORM, POLLPRI, POLLRDBAND, POLLOUT, POLLWRNORM, POLLWRBAND } = constants
const { POLLERR, POLLHUP, POLLRDHUP, O_RDWR, O_NONBLOCK, MSG_DONTWAIT } = constants
const { SOL_SOCKET, SO_TYPE, SO_ERROR, SO_PEERCRED, SO_SNDBUF, SO_SNDBUFFORCE } = constants

/** Events that wake a reader. */
const dataEvents = POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND
/** Events that wake a writer. */
const roomEvents = POLLOUT | POLLWRNORM | POLLWRBAND

/** Bits of {@link UnixSocket.shut}: receiving is over, sending is over. */
export const receiveShut = 1
export const sendShut = 2
const bothShut = receiveShut | sendShut

const noDescriptors: readonly number[] = []

/** One message, or one chunk of a stream, in a receive queue (`struct sk_buff`). */
export interface Message extends TracedMessage {
  readonly bytes: Uint8Array
  /** Bytes of it that stream reads have taken. */
  consumed: number
  /** Files passed with it (SCM_RIGHTS). */
  rights: readonly OpenFile[] | null
  /** Its share of the sender's send buffer (`skb->truesize`). */
  readonly cost: number
  readonly sender: UnixSocket
  /** The sending process if either socket has SO_PASSCRED, else 0. One read never joins messages of two senders. */
  readonly pid: number
  /** With SO_PEEK_OFF: a peek has returned this empty message, so the next one steps past it. */
  peeked: boolean
}

/** One of a pair of sockets. */
export abstract class UnixSocket extends OpenFile implements TracedSocket {
  readonly type: number
  peer: UnixSocket | null = null
  /** No descriptor, message or blocked call holds it any more. */
  dead = false
  /** Directions shut down so far: {@link receiveShut}, {@link sendShut}. */
  shut = 0
  /** The pending error (`sk_err`): the next call that checks it fails with it and clears it. */
  error = 0
  readonly received = youngArray<Message>()
  /** SIOCOUTQ: memory of the messages it has queued at its peer. */
  queuedCost = 0
  /** The message with the urgent byte; it is in {@link received} too. */
  urgent: Message | null = null
  /** Blocked readers, blocked writers and watchers, in one queue. */
  readonly queue = new WaitQueue()
  readonly options = new SocketOptions()
  readonly #creatorPid: number

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

  /** SO_SNDBUF: a sender whose messages cost this much waits. */
  get sendBuffer(): number {
    return this.options.sendBuffer
  }

  /** Whether a close or shutdown of the peer shows here; a datagram socket sees neither. */
  protected get connected(): boolean {
    return this.type !== constants.SOCK_DGRAM
  }

  /** send(2) and sendmsg(2), with descriptors to pass. */
  abstract send(task: Caller, data: Uint8Array, flags: number, fds: readonly number[]): number
  /** recv(2) and recvmsg(2). */
  abstract receive<Answer>(task: Caller, buffer: Uint8Array, flags: number, into: Received<Answer>): Answer | number

  /** Whether a send of `bytes` would allocate a buffer now, rather than fail or wait before that. */
  allocatesFor(bytes: number): boolean {
    if (this.peer === null || this.error !== 0 || this.shut & sendShut || !this.hasRoom) return false
    return this.takes(bytes)
  }

  /** Whether a send of `bytes` is a message, or anything of a stream at all. */
  protected abstract takes(bytes: number): boolean

  override read(task: Caller, buffer: Uint8Array): number {
    if (buffer.length === 0) return 0
    return this.receive(task, buffer, this.callFlags(0), new BytesOnly())
  }

  override write(task: Caller, data: Uint8Array): number {
    return this.send(task, data, this.callFlags(0), noDescriptors)
  }

  /** The flags of a call; O_NONBLOCK is MSG_DONTWAIT on every call. */
  callFlags(flags: number): number {
    return this.nonBlocking ? flags | MSG_DONTWAIT : flags
  }

  /** Returns the pending error as a negative errno, or 0, and clears it. */
  takeError(): number {
    const error = this.error
    if (error !== 0 && this.peer !== null) this.kernel.trace.endSeen?.(this.peer)
    this.error = 0
    return -error
  }

  /** Whether another message may be queued. */
  get hasRoom(): boolean {
    return this.queuedCost < this.sendBuffer
  }

  /** Whether a blocked writer goes on waiting. As on Linux, it needs one byte more of room than a first attempt. */
  get keepsWriterBlocked(): boolean {
    return this.error === 0 && !(this.shut & sendShut) && this.queuedCost + 1 >= this.sendBuffer
  }

  /** poll's condition for POLLOUT, stricter than {@link hasRoom}: at most a quarter of the buffer is taken. */
  #hasAmpleRoom(more = 0): boolean {
    // Linux counts 1 for a socket without messages (`sk_wmem_alloc`).
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
    const credentials = this.options.wantsCredentials || peer.options.wantsCredentials
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

  wakeReaders(): void {
    this.queue.wake(dataEvents)
  }

  /** Gives the memory of a message that this socket sent back to its buffer. */
  #freed(message: Message): void {
    this.kernel.trace.messageFreed?.(message)
    this.queuedCost -= message.cost
    // Linux wakes writers while the message's last byte is still counted (`sock_wfree`).
    this.roomMade(1)
  }

  /** Wakes writers, if poll(2) would call this socket writable with `stillCounted` bytes more taken. */
  roomMade(stillCounted = 0): void {
    if (this.#hasAmpleRoom(stillCounted)) this.queue.wake(roomEvents)
  }

  /** Frees a message that has left the queue, and its descriptors. */
  destroy(message: Message): void {
    const { rights } = message
    message.rights = null
    if (rights !== null) dropRights(rights)
    message.sender.#freed(message)
  }

  /** Moves the rights from a message to its reader; a peek copies them. */
  passRights(message: Message, peek: boolean, into: Received<unknown>): void {
    const { rights } = message
    if (rights === null) return
    if (peek) for (const file of rights) file.retain()
    else message.rights = null
    into.take(rights)
  }

  /** Moves the offset of the next peek, if SO_PEEK_OFF is in use. */
  movePeek(bytes: number): void {
    const { options } = this
    if (options.peekOffset >= 0) options.peekOffset = Math.max(0, options.peekOffset + bytes)
  }

  /** shutdown(2): 0 or a negative errno. */
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
      // An empty message alone in the queue is no lost data: reading an urgent byte leaves one behind.
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

  /** getsockopt(2): `[value]`, or a negative errno; the list, because a value may be negative too. */
  getOption(level: number, option: number): [value: number] | number {
    if (level !== SOL_SOCKET) return -EOPNOTSUPP
    const value = this.#valueOf(option)
    return value === undefined ? -ENOPROTOOPT : [value]
  }

  #valueOf(option: number): number | undefined {
    switch (option) {
      case SO_TYPE:
        return this.type
      case SO_ERROR:
        return -this.takeError()
      case SO_PEERCRED:
        return this.#creatorPid
      default:
        return this.options.get(option)
    }
  }

  /** setsockopt(2): 0 or a negative errno. */
  setOption(level: number, option: number, value: number): number {
    if (level !== SOL_SOCKET) return -EOPNOTSUPP
    const result = this.options.set(option, value)
    if (option === SO_SNDBUF || option === SO_SNDBUFFORCE) this.roomMade()
    return result
  }
}
