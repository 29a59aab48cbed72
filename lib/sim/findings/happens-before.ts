/**
 * The happens-before order of a run, derived from the kernel's tracepoints.
 *
 * A write, a close, a signal or a stop releases a stamp of its task's clock. A read, a poll, a delivery or a wait that
 * observes it acquires the stamp. A tracepoint without a task is the acting task's.
 */

import { constants } from '../../system/constants.ts'
import { Epoll } from '../files/epoll.ts'
import type { OpenFile } from '../files/open-file.ts'
import { PipeEnd } from '../files/pipe-end.ts'
import { receiveShut, sendShut, UnixSocket } from '../files/unix-socket.ts'
import type { TracedMessage, TracedPipe, TracedRegistration, TracedSocket } from '../files/world.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Probes, TracedCell } from '../kernel/tracepoints.ts'
import type { PendingSignal } from '../processes/pending-signals.ts'
import type { Task } from '../processes/task.ts'
import { PipeStamps, SendRoom } from './channel-stamps.ts'
import { joined, type Stamp, StampsByObject, TaskClock } from './vector-clock.ts'

const { POLLIN, POLLOUT, POLLPRI, POLLERR, POLLHUP, POLLRDHUP, EPOLLET } = constants

/** The order of one kernel's run, from its own creation on. */
export class HappensBefore {
  readonly #kernel: Kernel
  readonly #clocks = new Map<Task, TaskClock>()
  readonly #pipes = new Map<TracedPipe, PipeStamps>()
  readonly #rooms = new Map<TracedSocket, SendRoom>()
  /** For each queued message, the stamp of its send. */
  readonly #messages = new Map<TracedMessage, Stamp>()
  /** For each pending signal, the joined stamp of its sends. */
  readonly #signals = new Map<PendingSignal, Stamp>()
  /** For each epoll registration, the joined stamp of the epoll_ctl(2) calls that made and changed it. */
  readonly #registrations = new Map<TracedRegistration, Stamp>()
  /** For each registration on a ready list, the stamp of the event that listed it. */
  readonly #listings = new Map<TracedRegistration, Stamp>()
  /** For each file, the joined stamp of the closes that dropped references. */
  readonly #closes = new StampsByObject()
  /** For each socket and direction, the stamp of its first shutdown. */
  readonly #shutdowns = new Map<TracedSocket, Map<number, Stamp>>()
  /** For each process and thread, the stamp of its present state; for the host's news, of the SIGCHLDs in it. */
  readonly #states = new StampsByObject()
  /** For each atomic cell, the stamp of its last store. */
  readonly #atomics = new Map<TracedCell, Stamp>()
  readonly #probes: Probes = {
    forked: (parent, child) => this.#acquire(this.#release(parent), child),

    bytesPut: (pipe, bytes, inNewSlot) => {
      const stamps = this.#stampsOf(pipe)
      if (inNewSlot) this.#acquire(stamps.takeSlot())
      stamps.put(bytes, this.#release())
    },
    bytesTaken: (pipe, bytes, freesSlot) => {
      const stamps = this.#stampsOf(pipe)
      this.#acquire(stamps.take(bytes))
      if (freesSlot) stamps.freeSlot(this.#release())
    },
    pipeResized: (pipe, slots) => this.#stampsOf(pipe).resize(slots, this.#release()),

    messageSent: message => {
      const { sender, cost } = message
      this.#acquire(this.#roomOf(sender).spend(cost, sender.sendBuffer))
      this.#messages.set(message, this.#release())
    },
    messageRead: message => this.#acquire(this.#messages.get(message)),
    messageFreed: message => {
      this.#messages.delete(message)
      this.#roomOf(message.sender).free(message.cost, this.#release())
    },

    dropped: file => this.#closes.add(file, this.#release()),
    endSeen: file => this.#sawEnd(file),
    shutDown: (socket, bits, byEndOf) => this.#shutDown(socket, bits, byEndOf),
    shutdownSeen: (socket, bits) => this.#sawShutdown(socket, bits),
    readinessSeen: (file, events) => this.#sawReadiness(file, events),
    byteCountSeen: file => {
      if (file instanceof PipeEnd) this.#acquire(this.#pipes.get(file.pipe)?.allBytes)
      else if (file instanceof UnixSocket)
        for (const message of file.received) this.#acquire(this.#messages.get(message))
    },

    registrationChanged: registration =>
      this.#registrations.set(registration, joined(this.#registrations.get(registration), this.#release())),
    registrationListed: registration => this.#listings.set(registration, this.#release()),
    // epoll_wait acquires what made the reported registrations ready, and nothing of the others.
    registrationReported: (registration, events) => {
      this.#sawRegistration(registration, events)
      // An edge-triggered report is of the event itself, a level-triggered one only of the state.
      if (registration.events & EPOLLET) this.#acquire(this.#listings.get(registration))
      this.#listings.delete(registration)
    },

    signalQueued: pending => this.#signals.set(pending, joined(this.#signals.get(pending), this.#release())),
    signalTaken: (task, pending) => {
      this.#acquire(this.#signals.get(pending), task)
      this.#signals.delete(pending)
    },

    letGo: task => this.#acquire(this.#release(), task),
    parked: task => {
      const stamp = this.#release(task)
      this.#states.add(task, stamp)
      this.#states.add(task.process, stamp)
    },
    decided: process => this.#states.add(process, this.#release()),
    stateSeen: (of, by) => this.#acquire(this.#states.get(of), by),
    // Threads that ended earlier, and the decision to end the process, come before the close of its descriptors.
    exiting: task => this.#acquire(this.#states.get(task.process), task),
    // An exec comes after the ends of the other threads.
    executed: task => this.#acquire(this.#states.get(task.process), task),
    newsArrived: news => this.#states.add(news, this.#release()),
    newsHeard: news => this.#acquire(this.#states.get(news), this.#kernel.host),
  }

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    kernel.trace.attach(this.#probes)
  }

  /** Stops tracking. */
  end(): void {
    this.#kernel.trace.detach(this.#probes)
  }

  clockOf(task: Task): TaskClock {
    let clock = this.#clocks.get(task)
    if (clock === undefined) {
      clock = new TaskClock(this.#clocks.size)
      this.#clocks.set(task, clock)
    }
    return clock
  }

  /** A load acquires what the store that it reads released. */
  accessedAtomically(cell: TracedCell, task: Task, call: 'load' | 'store'): void {
    if (call === 'store') this.#atomics.set(cell, this.#release(task))
    else this.#acquire(this.#atomics.get(cell), task)
  }

  #release(task: Task = this.#kernel.acting): Stamp {
    return this.clockOf(task).release()
  }

  #acquire(stamp: Stamp | undefined, task: Task = this.#kernel.acting): void {
    if (stamp !== undefined) this.clockOf(task).acquire(stamp)
  }

  #stampsOf(pipe: TracedPipe): PipeStamps {
    let stamps = this.#pipes.get(pipe)
    if (stamps === undefined) {
      stamps = new PipeStamps(pipe.readableBytes, pipe.freeSlots)
      this.#pipes.set(pipe, stamps)
    }
    return stamps
  }

  #roomOf(socket: TracedSocket): SendRoom {
    let room = this.#rooms.get(socket)
    if (room === undefined) {
      room = new SendRoom(socket.queuedCost)
      this.#rooms.set(socket, room)
    }
    return room
  }

  #sawEnd(file: OpenFile): void {
    this.#acquire(this.#closes.get(file))
  }

  /** A direction that is already shut down keeps the stamp of its first shutdown. */
  #shutDown(socket: TracedSocket, bits: number, byEndOf?: OpenFile): void {
    const stamp = byEndOf === undefined ? this.#release() : this.#closes.get(byEndOf)
    const causes = this.#shutdowns.get(socket) ?? new Map<number, Stamp>()
    this.#shutdowns.set(socket, causes)
    for (const bit of [receiveShut, sendShut]) {
      if (bits & ~socket.shut & bit && stamp !== undefined) causes.set(bit, stamp)
    }
  }

  #sawShutdown(socket: TracedSocket, bits: number): void {
    const causes = this.#shutdowns.get(socket)
    for (const bit of [receiveShut, sendShut]) if (bits & socket.shut & bit) this.#acquire(causes?.get(bit))
  }

  /** A call that reports readiness acquires what made the file ready. */
  #sawReadiness(file: OpenFile, events: number): void {
    if (file instanceof PipeEnd) this.#sawPipe(file, events)
    else if (file instanceof UnixSocket) this.#sawSocket(file, events)
    else if (file instanceof Epoll && file.firstReady !== undefined)
      this.#sawRegistration(file.firstReady, file.firstReady.events)
  }

  #sawPipe({ pipe, readable }: PipeEnd, events: number): void {
    if (readable) {
      if (events & POLLIN && !pipe.isEmpty) this.#acquire(this.#pipes.get(pipe)?.firstByte)
      if (events & POLLHUP && !pipe.hasWriter) this.#sawEnd(pipe.writer)
    } else {
      if (events & POLLOUT && !pipe.isFull) this.#acquire(this.#pipes.get(pipe)?.nextSlot)
      if (events & POLLERR && !pipe.hasReader) this.#sawEnd(pipe.reader)
    }
  }

  #sawSocket(socket: UnixSocket, events: number): void {
    const [first] = socket.received
    if (events & POLLIN && first !== undefined) this.#acquire(this.#messages.get(first))
    else if (events & POLLIN) this.#sawShutdown(socket, receiveShut)
    if (events & POLLPRI) this.#acquire(socket.urgent === null ? undefined : this.#messages.get(socket.urgent))
    if (events & POLLOUT) this.#acquire(this.#rooms.get(socket)?.needed(Math.floor(socket.sendBuffer / 4)))
    if (events & POLLRDHUP) this.#sawShutdown(socket, receiveShut)
    if (events & POLLHUP && socket.shut === (receiveShut | sendShut)) this.#sawShutdown(socket, socket.shut)
    if (events & POLLERR && socket.error !== 0 && socket.peer !== null) this.#sawEnd(socket.peer)
  }

  #sawRegistration(registration: TracedRegistration, events: number): void {
    this.#acquire(this.#registrations.get(registration))
    this.#sawReadiness(registration.file, events)
  }
}
