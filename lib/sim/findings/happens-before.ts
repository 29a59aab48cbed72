/**
 * The happens-before order of a run: what the kernel tells of it, and what a task that acquires something learns.
 *
 * A kernel has one from the first access to a cell on: what came before that cannot order it and another access, so nothing is kept of it.
 * Where no task is named, it is the one whose call is under way.
 */

import { constants } from '../../system/constants.ts'
import type { PendingSignal } from '../base/signal-set.ts'
import { Epoll, type EpollItem } from '../files/epoll.ts'
import type { OpenFile } from '../files/open-file.ts'
import { type Pipe, PipeEnd } from '../files/pipe.ts'
import { receiveShut, sendShut, UnixSocket } from '../files/unix-socket.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Process } from '../processes/process.ts'
import type { Task } from '../processes/task.ts'
import { PipeStamps, SendRoom } from './channel-stamps.ts'
import { joined, Marks, type Stamp, TaskClock } from './vector-clock.ts'

const { POLLIN, POLLOUT, POLLPRI, POLLERR, POLLHUP, POLLRDHUP, EPOLLET } = constants

/** The order of one kernel's run. */
export class HappensBefore {
  readonly #kernel: Kernel
  readonly #clocks = new Map<Task, TaskClock>()
  readonly #pipes = new Map<Pipe, PipeStamps>()
  readonly #rooms = new Map<UnixSocket, SendRoom>()
  /** Of each file, by whom its holders gave it up. */
  readonly #closes = new Marks()
  /** Of each socket, by whom each of its directions was shut down first. */
  readonly #shutdowns = new Map<UnixSocket, Map<number, Stamp>>()
  /** Of processes and threads, what led to the state they are in; of a host's subscription, what it has to tell. */
  readonly #states = new Marks()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  clockOf(task: Task): TaskClock {
    let clock = this.#clocks.get(task)
    if (clock === undefined) {
      clock = new TaskClock(this.#clocks.size)
      this.#clocks.set(task, clock)
    }
    return clock
  }

  release(task: Task = this.#kernel.acting): Stamp {
    return this.clockOf(task).release()
  }

  acquire(stamp: Stamp | null | undefined, task: Task = this.#kernel.acting): void {
    if (stamp) this.clockOf(task).acquire(stamp)
  }

  /** A new process or thread knows what its maker did. */
  forked(parent: Task, child: Task): void {
    this.acquire(this.release(parent), child)
  }

  /** Bytes go into a pipe, which has not changed yet; `inNewSlot`: they take a free one. */
  putBytes(pipe: Pipe, bytes: number, inNewSlot: boolean): void {
    const stamps = this.#stampsOf(pipe)
    if (inNewSlot) this.acquire(stamps.takeSlot())
    stamps.put(bytes, this.release())
  }

  /** Bytes leave a pipe, which has not changed yet; `freesSlot`: the last ones of their slot. */
  takeBytes(pipe: Pipe, bytes: number, freesSlot: boolean): void {
    const stamps = this.#stampsOf(pipe)
    this.acquire(stamps.take(bytes))
    if (freesSlot) stamps.freeSlot(this.release())
  }

  /** A pipe is about to have so many slots more, or fewer. */
  resizePipe(pipe: Pipe, slots: number): void {
    this.#stampsOf(pipe).resize(slots, this.release())
  }

  #stampsOf(pipe: Pipe): PipeStamps {
    let stamps = this.#pipes.get(pipe)
    if (stamps === undefined) {
      stamps = new PipeStamps(pipe.readableBytes, pipe.freeSlots)
      this.#pipes.set(pipe, stamps)
    }
    return stamps
  }

  /** A socket is about to queue a message of this cost: the clock it carries. */
  sendMessage(socket: UnixSocket, cost: number): Stamp {
    this.acquire(this.#roomOf(socket).spend(cost, socket.sendBuffer))
    return this.release()
  }

  /** A message of the socket's is about to be gone. */
  freeMessage(socket: UnixSocket, cost: number): void {
    this.#roomOf(socket).free(cost, this.release())
  }

  #roomOf(socket: UnixSocket): SendRoom {
    let room = this.#rooms.get(socket)
    if (room === undefined) {
      room = new SendRoom(socket.queuedCost)
      this.#rooms.set(socket, room)
    }
    return room
  }

  /** A reference to the file is given back: its end, when it comes, is after that. */
  dropped(file: OpenFile): void {
    this.#closes.add(file, this.release())
  }

  /** A caller was told that nobody holds the file any more: end of file, EPIPE. */
  sawEndOf(file: OpenFile): void {
    this.acquire(this.#closes.get(file))
  }

  /** Directions of the socket are about to be shut down, by the caller or by the end of its peer; what is so already stays as it came to be. */
  shutDown(socket: UnixSocket, bits: number, byEndOf?: UnixSocket): void {
    const stamp = byEndOf === undefined ? this.release() : this.#closes.get(byEndOf)
    const causes = this.#shutdowns.get(socket) ?? new Map<number, Stamp>()
    this.#shutdowns.set(socket, causes)
    for (const bit of [receiveShut, sendShut]) {
      if (bits & ~socket.shut & bit && stamp !== undefined) causes.set(bit, stamp)
    }
  }

  /** A caller was told that these directions of the socket are shut down. */
  sawShutdown(socket: UnixSocket, bits: number): void {
    const causes = this.#shutdowns.get(socket)
    for (const bit of [receiveShut, sendShut]) if (bits & socket.shut & bit) this.acquire(causes?.get(bit))
  }

  /** A caller was told that the file is ready for these events: it acquires what made it so. */
  sawReadiness(file: OpenFile, events: number): void {
    if (file instanceof PipeEnd) this.#sawPipe(file, events)
    else if (file instanceof UnixSocket) this.#sawSocket(file, events)
    else if (file instanceof Epoll && file.firstReady !== undefined)
      this.#sawItem(file.firstReady, file.firstReady.events)
  }

  #sawPipe({ pipe, readable }: PipeEnd, events: number): void {
    if (readable) {
      if (events & POLLIN && !pipe.isEmpty) this.acquire(this.#pipes.get(pipe)?.firstByte)
      if (events & POLLHUP && !pipe.hasWriter) this.sawEndOf(pipe.writer)
    } else {
      if (events & POLLOUT && !pipe.isFull) this.acquire(this.#pipes.get(pipe)?.nextSlot)
      if (events & POLLERR && !pipe.hasReader) this.sawEndOf(pipe.reader)
    }
  }

  #sawSocket(socket: UnixSocket, events: number): void {
    const [first] = socket.received
    if (events & POLLIN && first !== undefined) this.acquire(first.stamp)
    else if (events & POLLIN) this.sawShutdown(socket, receiveShut)
    if (events & POLLPRI) this.acquire(socket.urgent?.stamp)
    if (events & POLLOUT) this.acquire(this.#rooms.get(socket)?.needed(Math.floor(socket.sendBuffer / 4)))
    if (events & POLLRDHUP) this.sawShutdown(socket, receiveShut)
    if (events & POLLHUP && socket.shut === (receiveShut | sendShut)) this.sawShutdown(socket, socket.shut)
    if (events & POLLERR && socket.error !== 0 && socket.peer !== null) this.sawEndOf(socket.peer)
  }

  /** A caller was told how many bytes there are to read. */
  sawBytes(file: OpenFile): void {
    if (file instanceof PipeEnd) this.acquire(this.#pipes.get(file.pipe)?.allBytes)
    else if (file instanceof UnixSocket) for (const { stamp } of file.received) this.acquire(stamp)
  }

  /** A registration is made or changed. */
  registered(item: EpollItem): void {
    item.registered = joined(item.registered ?? undefined, this.release())
  }

  /** A registration enters the ready list. */
  becomesReady(item: EpollItem): void {
    item.woken = this.release()
  }

  /** epoll_wait returns an event: its caller acquires what made that one ready, and nothing of the others. */
  returned(item: EpollItem, events: number): void {
    this.#sawItem(item, events)
    // An edge tells of the event itself; a level only of a state.
    if (item.events & EPOLLET) this.acquire(item.woken)
    item.woken = null
  }

  #sawItem(item: EpollItem, events: number): void {
    this.acquire(item.registered)
    this.sawReadiness(item.file, events)
  }

  /** A signal was queued, or is one with a signal that was. */
  signalSent(pending: PendingSignal | undefined): void {
    if (pending !== undefined) pending.stamp = joined(pending.stamp ?? undefined, this.release())
  }

  /** The task acquires from whoever made it go on. */
  resumed(task: Task): void {
    this.acquire(this.release(), task)
  }

  /** Something the task, and its process, may be waited for by: a stop, an end. */
  changedState(task: Task): void {
    const stamp = this.release(task)
    this.#states.add(task, stamp)
    this.#states.add(task.process, stamp)
  }

  /** Somebody decided what becomes of the process: its end, its continuation. */
  decided(process: Process): void {
    this.#states.add(process, this.release())
  }

  /** The caller was told of the state of a thread, or of a whole process. */
  sawState(of: Task | Process, task: Task = this.#kernel.acting): void {
    this.acquire(this.#states.get(of), task)
  }

  /** Somebody has news for a subscription. */
  notified(subscription: object): void {
    this.#states.add(subscription, this.release())
  }

  /** The host hears the news. */
  heard(subscription: object): void {
    this.acquire(this.#states.get(subscription), this.#kernel.host)
  }
}
