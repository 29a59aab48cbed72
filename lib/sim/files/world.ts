/** What files need of the kernel, and the tracepoints they fire. */

import type { Clock } from '../base/clock.ts'
import type { Choice } from '../base/scheduler.ts'
import type { Tracepoint } from '../base/tracepoint.ts'
import type { OpenFile } from './open-file.ts'
import type { Caller } from './wait.ts'
import type { WaitingTask } from './wait-queue.ts'

/** An outside file that calls wait for. */
export interface OutsideWait {
  /** There may be input or room: wakes its waiters. */
  changed(): void
}

/** The kernel, as its files know it. */
export interface World {
  readonly clock: Clock
  readonly trace: FileTracepoints
  /** Exempt from the per-user limits on pipes, as root is. */
  readonly privileged: boolean
  /** The scheduler chooses which of several waiters wakes first; otherwise the order is Linux's. */
  readonly choosesWaiters: boolean
  /** The task whose step or call is under way. */
  readonly acting: Caller
  /** Slots of all pipes together; limited for an unprivileged user. */
  pipeSlots: number
  /** The outside files in a wait that change while the JavaScript thread is blocked. */
  readonly outsideWaits: Set<OutsideWait>
  newObjectId(): number
  choose(choice: Choice): number
  /** Sends a task a signal from the kernel, such as SIGPIPE. */
  raise(task: Caller, signal: number): void
  /** Finishes a file that has no references left after the current call; of several, the last added first. */
  finishLater(file: OpenFile): void
  /** An outside event may have made a move possible: schedules a turn of the event loop. */
  stir(): void
}

/** A pipe, as a tracepoint sees it. */
export interface TracedPipe {
  readonly readableBytes: number
  readonly freeSlots: number
}

/** A socket, as a tracepoint sees it. */
export interface TracedSocket extends OpenFile {
  /** Directions shut down so far: 1 receiving, 2 sending. */
  readonly shut: number
  /** Memory of its queued messages; its limit is {@link sendBuffer}. */
  readonly queuedCost: number
  readonly sendBuffer: number
}

/** A message in a socket's queue, as a tracepoint sees it. */
export interface TracedMessage {
  readonly sender: TracedSocket
  /** Its share of the sender's send buffer. */
  readonly cost: number
}

/** An epoll registration, as a tracepoint sees it. */
export interface TracedRegistration {
  readonly file: OpenFile
  /** The EPOLL* bits it asks for. */
  readonly events: number
}

/** Tracepoints of files. Each fires before its change takes effect; the task is {@link World.acting}. */
export class FileTracepoints {
  /** A call or a poll is about to read or change the file's state, which a pair's two ends share. */
  used: Tracepoint<[file: OpenFile]> = null
  /** A reference was released; `left` remain. */
  dropped: Tracepoint<[file: OpenFile, left: number]> = null
  /** The last reference is gone; the file is about to close. */
  finished: Tracepoint<[file: OpenFile]> = null

  /** Bytes go into a pipe. `inNewSlot`: into a free slot, not appended to the last. */
  bytesPut: Tracepoint<[pipe: TracedPipe, bytes: number, inNewSlot: boolean]> = null
  /** Bytes leave a pipe. `freesSlot`: they are the last of their slot. */
  bytesTaken: Tracepoint<[pipe: TracedPipe, bytes: number, freesSlot: boolean]> = null
  /** F_SETPIPE_SZ changes the number of slots by `slots`. */
  pipeResized: Tracepoint<[pipe: TracedPipe, slots: number]> = null

  /** A message enters the queue of its sender's peer. */
  messageSent: Tracepoint<[message: TracedMessage]> = null
  /** A call reads or peeks at a message. */
  messageRead: Tracepoint<[message: TracedMessage]> = null
  /** A message is freed; its sender's buffer gets the memory back. */
  messageFreed: Tracepoint<[message: TracedMessage]> = null
  /** Directions of a socket are shut down, by a call or, with `byEndOf`, by the close of its peer. */
  shutDown: Tracepoint<[socket: TracedSocket, bits: number, byEndOf?: OpenFile]> = null

  /** An epoll registration is made or changed. */
  registrationChanged: Tracepoint<[registration: TracedRegistration]> = null
  /** An epoll registration enters the ready list. */
  registrationListed: Tracepoint<[registration: TracedRegistration]> = null
  /** epoll_wait(2) returns an epoll registration's event. */
  registrationReported: Tracepoint<[registration: TracedRegistration, events: number]> = null

  /** A waiting task takes a wake-up that would have gone on to another waiter. */
  wakeTaken: Tracepoint<[task: WaitingTask]> = null

  /** A call reports that the file is closed: end of file, EPIPE. */
  endSeen: Tracepoint<[file: OpenFile]> = null
  /** A call reports that these directions of the socket are shut down. */
  shutdownSeen: Tracepoint<[socket: TracedSocket, bits: number]> = null
  /** A call reports that the file is ready for these POLL* events. */
  readinessSeen: Tracepoint<[file: OpenFile, events: number]> = null
  /** A call reports the number of readable bytes (FIONREAD). */
  byteCountSeen: Tracepoint<[file: OpenFile]> = null
}
