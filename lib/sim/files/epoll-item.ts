/** Registrations of an epoll, epoll_ctl(2). */

import { constants } from '../../system/constants.ts'
import type { EpollEvent } from '../../system/system.ts'
import { youngArray } from '../base/young-array.ts'
import type { OpenFile, PollTable, Registration } from './open-file.ts'
import type { Waiter, WaitQueue } from './wait-queue.ts'

const { EPOLLERR, EPOLLHUP, EPOLLEXCLUSIVE, EPOLLWAKEUP, EPOLLONESHOT, EPOLLET } = constants

/** Bits that say how to watch, not what for. A registration with only these is disabled (after EPOLLONESHOT). */
const privateBits = EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE

/** The epoll instance, as its registrations know it. */
interface Instance extends OpenFile {
  /** Whether the instance takes the wake-up of a registration. */
  itemWoken(item: EpollItem, events: number): boolean
  forget(item: EpollItem): void
}

/** One registration: a descriptor number, its file, and the events asked for. */
export class EpollItem implements Waiter, PollTable, Registration {
  readonly epoll: Instance
  readonly file: OpenFile
  readonly fd: number
  events = 0
  data = 0
  readonly #queues = youngArray<WaitQueue>()

  constructor(epoll: Instance, file: OpenFile, fd: number, event: EpollEvent) {
    this.epoll = epoll
    this.file = file
    this.fd = fd
    this.change(event)
  }

  /** EPOLL_CTL_MOD. As on Linux, errors and hang-ups are always reported. */
  change({ events, data }: EpollEvent): void {
    this.events = (events | EPOLLERR | EPOLLHUP) >>> 0
    this.data = data
  }

  get isExclusive(): boolean {
    return (this.events & EPOLLEXCLUSIVE) !== 0
  }

  get isDisabled(): boolean {
    return (this.events & ~privateBits) === 0
  }

  /** EPOLLONESHOT, after an event has been returned. */
  disable(): void {
    this.events &= privateBits
  }

  watch(queue: WaitQueue): void {
    if (this.isExclusive) queue.watchExclusively(this)
    else queue.watch(this)
    this.#queues.push(queue)
  }

  /** The requested events that are ready now. With a table, the registration also joins the file's wait queues. */
  poll(table: PollTable | null): number {
    this.file.kernel.trace.used?.(this.file)
    return this.file.poll(table) & this.events
  }

  wake(events: number): boolean {
    return this.epoll.itemWoken(this, events)
  }

  remove(): void {
    for (const queue of this.#queues) queue.remove(this)
    this.epoll.forget(this)
    this.file.registrations?.delete(this)
  }
}
