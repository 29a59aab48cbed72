/** Open file descriptions: what descriptors, of one process or of several, refer to. */

import { constants } from '../../system/constants.ts'
import { EBADF, EINVAL, ENOTTY, EPERM } from '../base/results.ts'
import type { Caller } from './wait.ts'
import type { WaitQueue } from './wait-queue.ts'
import type { World } from './world.ts'

const { O_ACCMODE, O_RDONLY, O_WRONLY, O_NONBLOCK, O_APPEND, O_ASYNC, O_DIRECT, O_NOATIME } = constants

/** Collects the queues that a poll of a file wants to be woken by. */
export interface PollTable {
  watch(queue: WaitQueue): void
}

/** A registration of a file with an epoll, which ends with either of them. */
export interface Registration {
  readonly epoll: OpenFile
  remove(): void
}

/** A descriptor of a file that was closed, and by what: for a deadlock report. */
export interface Close {
  readonly process: Caller['process']
  /** The program the process ran. */
  readonly program: string
  readonly fd: number
  readonly how: 'close' | 'replace' | 'exec' | 'exit'
}

/** What poll and epoll say of a file that knows nothing better. */
export const alwaysReady = constants.POLLIN | constants.POLLOUT | constants.POLLRDNORM | constants.POLLWRNORM

/** One open file description (`struct file`): its status flags, and how many descriptors, messages and blocked calls hold it. */
export abstract class OpenFile {
  readonly kernel: World
  readonly id: number
  /** Access mode and status flags, as F_GETFL tells them. */
  flags: number
  /** The process or (negative) group that gets this file's signals, F_SETOWN. */
  owner = 0
  /** The signal it gets, F_SETSIG; 0 for SIGIO. */
  ownerSignal = 0
  /** The epoll registrations of this description. */
  registrations: Set<Registration> | null = null
  /** The latest close of one of its descriptors. */
  lastClose: Close | null = null
  #references = 0

  constructor(kernel: World, flags: number) {
    this.kernel = kernel
    this.id = kernel.newObjectId()
    this.flags = flags
  }

  /** What it is, for a report: 'the read end of pipe 3'. */
  abstract readonly description: string

  /** Whether reads and writes are whole messages, not parts of a stream of bytes. */
  readonly keepsMessages: boolean = false

  /** Whether what is done with it is seen by others who hold it. */
  readonly hasState: boolean = true

  /** Whether epoll takes it. */
  readonly pollable: boolean = true

  get nonBlocking(): boolean {
    return (this.flags & O_NONBLOCK) !== 0
  }

  get readable(): boolean {
    return (this.flags & O_ACCMODE) !== O_WRONLY
  }

  get writable(): boolean {
    return (this.flags & O_ACCMODE) !== O_RDONLY
  }

  /** The description whose holder could end a wait on this one; a deadlock report says who that is. */
  get counterpart(): OpenFile | undefined {
    return undefined
  }

  /** read(2), access checked: bytes, a negative errno, or blocked. */
  read(_task: Caller, _buffer: Uint8Array): number {
    return -EINVAL
  }

  /** write(2), access checked. */
  write(_task: Caller, _data: Uint8Array): number {
    return -EINVAL
  }

  /** What is ready now (POLL*), telling `table` the queues that say when that changes. */
  abstract poll(table: PollTable | null): number

  /** ioctl FIONREAD. */
  readableBytes(): number {
    return -ENOTTY
  }

  /** F_GETPIPE_SZ. */
  pipeSize(): number {
    return -EBADF
  }

  /** F_SETPIPE_SZ. */
  resizePipe(_bytes: number): number {
    return -EBADF
  }

  /** F_SETFL: only these flags can be changed, and the others asked for are silently left out. */
  setStatusFlags(flags: number): number {
    const seeksNoAtime = (flags & ~this.flags & O_NOATIME) !== 0
    if (seeksNoAtime && this.ownedByRoot && !this.kernel.privileged) return -EPERM
    if (flags & O_DIRECT && !this.takesDirect) return -EINVAL
    const changeable = O_APPEND | O_NONBLOCK | O_NOATIME | O_DIRECT | (this.takesAsync ? O_ASYNC : 0)
    this.flags = (this.flags & ~changeable) | (flags & changeable)
    return 0
  }

  /** O_DIRECT: packet mode of a pipe; nothing else here has it. */
  protected readonly takesDirect: boolean = false
  protected readonly takesAsync: boolean = true
  /** O_NOATIME is for who owns the file. */
  protected readonly ownedByRoot: boolean = false

  /** A descriptor of it is closed by the call under way. */
  descriptorClosed(fd: number, how: Close['how']): void {
    const { process } = this.kernel.acting
    this.lastClose = { process, program: process.program, fd, how }
  }

  retain(): this {
    this.#references++
    return this
  }

  release(): void {
    if (this.drop()) this.finish()
  }

  /** As release, of one that a message held: what follows the last reference comes when the call is over. */
  releaseLater(): void {
    if (this.drop()) this.kernel.finishLater(this)
  }

  /** Gives a reference back; whether it was the last, after which {@link finish} is due. */
  drop(): boolean {
    this.#references--
    this.kernel.trace.dropped?.(this, this.#references)
    return this.#references === 0
  }

  /** What follows the last reference. */
  finish(): void {
    this.kernel.trace.finished?.(this)
    if (this.registrations !== null) for (const registration of [...this.registrations]) registration.remove()
    this.closed()
  }

  /** The last holder is gone. */
  protected abstract closed(): void
}
