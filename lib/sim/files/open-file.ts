/** Open file descriptions: what descriptors refer to, in one process or several. */

import { constants } from '../../system/constants.ts'
import { EBADF, EINVAL, ENOTTY, EPERM } from '../base/results.ts'
import type { Caller } from './wait.ts'
import type { WaitQueue } from './wait-queue.ts'
import type { World } from './world.ts'

const { O_ACCMODE, O_RDONLY, O_WRONLY, O_NONBLOCK, O_APPEND, O_ASYNC, O_DIRECT, O_NOATIME } = constants

/** Joins the wait queues of a polled file, so that its next event wakes the poll. */
export interface PollTable {
  watch(queue: WaitQueue): void
}

/** A registration of a file with an epoll; the end of either removes it. */
export interface Registration {
  readonly epoll: OpenFile
  remove(): void
}

/** A close of a file's descriptor, for a deadlock report. */
export interface Close {
  readonly process: Caller['process']
  /** The program the process ran. */
  readonly program: string
  readonly fd: number
  /** The thread that closed it, and when, in milliseconds of the world's clock. */
  readonly by: Caller
  readonly at: number
  readonly how: 'close' | 'replace' | 'exec' | 'exit'
}

/** The readiness of a file that never blocks. */
export const alwaysReady = constants.POLLIN | constants.POLLOUT | constants.POLLRDNORM | constants.POLLWRNORM

/** One open file description (`struct file`). Descriptors, messages and blocked calls hold references to it. */
export abstract class OpenFile {
  readonly kernel: World
  readonly id: number
  /** Access mode and status flags, F_GETFL. */
  flags: number
  /** F_SETOWN: the process, or as a negative number the group, that gets this file's signals. */
  owner = 0
  /** F_SETSIG: the signal the owner gets; 0 for SIGIO. */
  ownerSignal = 0
  /** The epoll registrations of this file. */
  registrations: Set<Registration> | null = null
  /** The latest close of one of its descriptors. */
  lastClose: Close | null = null
  #references = 0

  constructor(kernel: World, flags: number) {
    this.kernel = kernel
    this.id = kernel.newObjectId()
    this.flags = flags
  }

  /** Its name in reports, such as 'the read end of pipe 3'. */
  abstract readonly description: string

  /** What it is an end of, such as 'pipe 3'. For a file with one end, its description. */
  get channel(): string {
    return this.description
  }

  /** Whether reads and writes are whole messages, not parts of a byte stream. */
  readonly keepsMessages: boolean = false

  /** Whether one holder's calls can change what another holder's calls find. */
  readonly hasState: boolean = true

  /** Whether epoll_ctl(2) accepts it. */
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

  /** The open file whose holders could end a wait on this one, for a deadlock report. */
  get counterpart(): OpenFile | undefined {
    return undefined
  }

  /** read(2), access checked: the number of bytes, a negative errno, or `blocked`. */
  read(_task: Caller, _buffer: Uint8Array): number {
    return -EINVAL
  }

  /** write(2), access checked. */
  write(_task: Caller, _data: Uint8Array): number {
    return -EINVAL
  }

  /**
   * Bytes that a write of `bytes` moves if memory runs out in the middle: about half. 0 for a write that is whole or
   * nothing, such as one of at most PIPE_BUF bytes to a pipe.
   */
  shortWriteBytes(_bytes: number): number {
    return 0
  }

  /** The POLL* events ready now. With a table, it joins the queues that a later change wakes. */
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

  /** F_SETFL. As on Linux, flags that cannot be changed are ignored without an error. */
  setStatusFlags(flags: number): number {
    const seeksNoAtime = (flags & ~this.flags & O_NOATIME) !== 0
    if (seeksNoAtime && this.ownedByRoot && !this.kernel.privileged) return -EPERM
    if (flags & O_DIRECT && !this.takesDirect) return -EINVAL
    const changeable = O_APPEND | O_NONBLOCK | O_NOATIME | O_DIRECT | (this.takesAsync ? O_ASYNC : 0)
    this.flags = (this.flags & ~changeable) | (flags & changeable)
    return 0
  }

  /** Whether it takes O_DIRECT; only pipes do, for packet mode. */
  protected readonly takesDirect: boolean = false
  protected readonly takesAsync: boolean = true
  /** Owned by root: an unprivileged caller may not set O_NOATIME. */
  protected readonly ownedByRoot: boolean = false

  /** The current call closes one of its descriptors. */
  descriptorClosed(fd: number, how: Close['how']): void {
    const { acting, clock } = this.kernel
    const { process } = acting
    this.lastClose = { process, program: process.program, fd, by: acting, at: clock.now(), how }
  }

  retain(): this {
    this.#references++
    return this
  }

  release(): void {
    if (this.drop()) this.finish()
  }

  /** Releases a reference that a message held. After the last one the file finishes when the current call is over. */
  releaseLater(): void {
    if (this.drop()) this.kernel.finishLater(this)
  }

  /** Gives a reference back; if it was the last (true), the caller must {@link finish}. */
  drop(): boolean {
    this.#references--
    this.kernel.trace.dropped?.(this, this.#references)
    return this.#references === 0
  }

  /** Removes the epoll registrations and closes, after the last reference. */
  finish(): void {
    this.kernel.trace.finished?.(this)
    if (this.registrations !== null) for (const registration of [...this.registrations]) registration.remove()
    this.closed()
  }

  /** Closes the file itself: its last reference is gone. */
  protected abstract closed(): void
}
