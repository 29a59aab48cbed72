/**
 * epoll(7).
 *
 * Each registration is a watcher in its file's wait queue. An event it asks for puts it on the instance's ready list,
 * at most once. epoll_wait(2) polls the listed registrations in turn: a level-triggered one that is ready goes back to
 * the end of the list, an edge-triggered one returns only when it is woken again.
 *
 *     event                                ready list    epoll_wait returns
 *     l (level) and e (edge) are woken     l e
 *     epoll_wait                           l             l e
 *     epoll_wait, l is still readable      l             l
 *     epoll_wait, l has been drained       (empty)       nothing, so it blocks
 */

import { constants } from '../../system/constants.ts'
import type { EpollEvent } from '../../system/system.ts'
import { removeFrom } from '../base/remove-from.ts'
import { EEXIST, EINTR, EINVAL, ELOOP, ENOENT, EPERM } from '../base/results.ts'
import { youngArray } from '../base/young-array.ts'
import { EpollItem } from './epoll-item.ts'
import { OpenFile, type PollTable } from './open-file.ts'
import { type Caller, QueuedWait, type WaitReason } from './wait.ts'
import { WaitQueue } from './wait-queue.ts'
import type { World } from './world.ts'

const { EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP, EPOLLRDNORM, EPOLLEXCLUSIVE, EPOLLWAKEUP, EPOLLONESHOT, EPOLLET } =
  constants

/** Bits that may accompany EPOLLEXCLUSIVE. */
const allowedWithExclusive = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE
/** Most levels of epolls that watch epolls (EP_MAX_NESTS plus one). */
const deepestNesting = 5

/** An epoll instance. */
export class Epoll extends OpenFile {
  readonly #items = new Map<number, Map<OpenFile, EpollItem>>()
  /** The ready list. */
  #ready = youngArray<EpollItem>()
  /** Calls blocked in epoll_wait(2); the last to arrive is woken first. */
  readonly waiters = new WaitQueue()
  /** Polls and epolls that watch this epoll itself. */
  readonly #watchers = new WaitQueue()
  protected override readonly takesAsync = false
  protected override readonly ownedByRoot = true

  constructor(kernel: World) {
    super(kernel, constants.O_RDWR)
  }

  get description(): string {
    return `epoll ${this.id}`
  }

  /** Every file watched. */
  get watched(): OpenFile[] {
    return [...this.#items.values()].flatMap(byFile => [...byFile.keys()])
  }

  override readableBytes(): number {
    return -EINVAL
  }

  /** epoll_ctl(2), with its descriptors looked up. */
  control(operation: number, fd: number, file: OpenFile, event: EpollEvent | undefined): number {
    if (!file.pollable) return -EPERM
    if (file === this) return -EINVAL
    if (event !== undefined && event.events & EPOLLEXCLUSIVE) {
      if (operation === constants.EPOLL_CTL_MOD) return -EINVAL
      const allowed = !(file instanceof Epoll) && !(event.events & ~allowedWithExclusive)
      if (operation === constants.EPOLL_CTL_ADD && !allowed) return -EINVAL
    }
    if (operation === constants.EPOLL_CTL_ADD && file instanceof Epoll && !this.#mayWatch(file)) return -ELOOP
    const item = this.#items.get(fd)?.get(file)
    switch (operation) {
      case constants.EPOLL_CTL_ADD:
        return item === undefined ? this.#add(file, fd, event!) : -EEXIST
      case constants.EPOLL_CTL_DEL:
        item?.remove()
        return item === undefined ? -ENOENT : 0
      case constants.EPOLL_CTL_MOD:
        return item === undefined ? -ENOENT : this.#modify(item, event!)
      default:
        return -EINVAL
    }
  }

  #add(file: OpenFile, fd: number, event: EpollEvent): number {
    const item = new EpollItem(this, file, fd, event)
    const byFile = this.#items.get(fd) ?? new Map<OpenFile, EpollItem>()
    this.#items.set(fd, byFile)
    byFile.set(file, item)
    this.kernel.trace.registrationChanged?.(item)
    file.registrations ??= new Set()
    file.registrations.add(item)
    if (item.poll(item) !== 0) this.#becomesReady(item)
    return 0
  }

  #modify(item: EpollItem, event: EpollEvent): number {
    if (item.isExclusive) return -EINVAL
    item.change(event)
    this.kernel.trace.registrationChanged?.(item)
    if (item.poll(null) !== 0) this.#becomesReady(item)
    return 0
  }

  #becomesReady(item: EpollItem): void {
    if (this.#ready.includes(item)) return
    this.#enlist(item)
    this.waiters.wake(EPOLLIN)
    this.#watchers.wake(EPOLLIN)
  }

  #enlist(item: EpollItem): void {
    this.#ready.push(item)
    this.kernel.trace.registrationListed?.(item)
  }

  /** A watched file's queue wakes the registration; whether it takes the wake-up, which matters to EPOLLEXCLUSIVE. */
  itemWoken(item: EpollItem, events: number): boolean {
    const { isExclusive: exclusive } = item
    if (item.isDisabled || (events !== 0 && !(events & item.events))) return !exclusive
    this.kernel.trace.used?.(this)
    if (!this.#ready.includes(item)) this.#enlist(item)
    let taken = !exclusive
    if (!this.waiters.isEmpty) {
      if (exclusive) {
        const inOut = events & (EPOLLIN | EPOLLOUT)
        taken = inOut === 0 || (inOut !== (EPOLLIN | EPOLLOUT) && (inOut & item.events) !== 0)
      }
      this.waiters.wake(EPOLLIN)
    }
    this.#watchers.wake(EPOLLIN)
    return taken
  }

  /** Removes a registration from the instance and its ready list. */
  forget(item: EpollItem): void {
    const byFile = this.#items.get(item.fd)
    byFile?.delete(item.file)
    if (byFile?.size === 0) this.#items.delete(item.fd)
    removeFrom(this.#ready, item)
  }

  /** The ready registration that a successful {@link poll} of this epoll leaves first on the list. */
  get firstReady(): EpollItem | undefined {
    return this.#ready[0]
  }

  get maybeReady(): boolean {
    return this.#ready.length > 0
  }

  /** Takes at most `most` events off the ready list. */
  take(most: number): EpollEvent[] {
    const events: EpollEvent[] = []
    this.#goThrough(list => {
      while (list.length > 0 && events.length < most) {
        const item = list.shift()!
        const found = item.poll(null)
        if (found === 0) continue
        this.kernel.trace.registrationReported?.(item, found)
        events.push({ events: found >>> 0, data: item.data })
        if (item.events & EPOLLONESHOT) item.disable()
        else if (!(item.events & EPOLLET)) this.#ready.push(item)
      }
    })
    return events
  }

  /** epoll_wait(2). */
  wait(task: Caller, most: number, deadline: number | undefined): EpollEvent[] | number {
    const events = this.maybeReady ? this.take(most) : []
    if (events.length > 0 || (deadline !== undefined && deadline <= this.kernel.clock.now())) return events
    return task.block(new EpollWait(task, this, most, deadline))
  }

  /** An epoll is readable while a registration is ready. Those found no longer ready leave the list. */
  poll(table: PollTable | null): number {
    table?.watch(this.#watchers)
    let found = 0
    this.#goThrough(list => {
      while (list.length > 0 && found === 0) {
        if (list[0]!.poll(null) !== 0) found = EPOLLIN | EPOLLRDNORM
        else list.shift()
      }
    })
    return found
  }

  /** Works on the ready list. What `work` leaves of it stays in front of what it puts back. */
  #goThrough(work: (list: EpollItem[]) => void): void {
    const list = this.#ready
    this.#ready = []
    work(list)
    this.#ready = [...list, ...this.#ready]
    if (this.#ready.length > 0) this.waiters.wake(EPOLLIN)
  }

  /** Whether watching `other` makes no loop and nests no deeper than Linux allows. */
  #mayWatch(other: Epoll): boolean {
    if (other.#reaches(this)) return false
    return this.#heightAbove() + other.#depthBelow() <= deepestNesting
  }

  #reaches(target: Epoll): boolean {
    return this.watched.some(file => file === target || (file instanceof Epoll && file.#reaches(target)))
  }

  /** Levels of epolls from here down, this one included. */
  #depthBelow(): number {
    return 1 + Math.max(0, ...this.watched.map(file => (file instanceof Epoll ? file.#depthBelow() : 0)))
  }

  /** Levels of epolls from here up, this one included. */
  #heightAbove(): number {
    return (
      1 +
      Math.max(
        0,
        ...[...(this.registrations ?? [])].map(({ epoll }) => (epoll instanceof Epoll ? epoll.#heightAbove() : 0)),
      )
    )
  }

  protected override closed(): void {
    for (const byFile of [...this.#items.values()]) for (const item of [...byFile.values()]) item.remove()
  }
}

/** An epoll_wait(2) with nothing ready. */
class EpollWait extends QueuedWait {
  readonly #epoll: Epoll
  readonly #most: number

  constructor(task: Caller, epoll: Epoll, most: number, deadline: number | undefined) {
    super(task, epoll.waiters, epoll, deadline)
    this.#epoll = epoll
    this.#most = most
  }

  enter(): void {
    this.queue.joinFirst(this)
  }

  attempt(): EpollEvent[] | number {
    const events = this.#epoll.take(this.#most)
    if (events.length > 0 || this.timedOut) return events
    return this.stay()
  }

  /** Never restarted, not even after a signal that only stopped and continued the process. */
  override interrupted(): number {
    this.leave()
    return -EINTR
  }

  get reason(): WaitReason {
    return { on: 'epoll', file: this.#epoll, deadline: this.deadline }
  }
}
