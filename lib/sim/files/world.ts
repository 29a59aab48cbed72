/** What files need of the world they are in, and the facts they tell. The kernel has it. */

import type { Clock } from '../base/clock.ts'
import type { Choice } from '../base/scheduler.ts'
import type { Tracepoint } from '../base/tracepoint.ts'
import type { OpenFile } from './open-file.ts'
import type { Caller } from './wait.ts'

/** The kernel, as its files know it. */
export interface World {
  readonly clock: Clock
  readonly trace: FileTracepoints
  /** Free of the limits on a user's pipes, as root is. */
  readonly privileged: boolean
  /** Which of several waiters wakes first is a choice; else it is as on Linux. */
  readonly choosesWaiters: boolean
  /** The task whose step or call is under way. */
  readonly acting: Caller
  /** The slots of all pipes, which are limited for a user without privilege. */
  pipeSlots: number
  newObjectId(): number
  choose(choice: Choice): number
  /** Sends a task a signal that the kernel has cause for: SIGPIPE. */
  raise(task: Caller, signal: number): void
  /** Ends a file without holders once the call under way is over; of several, the last one first. */
  finishLater(file: OpenFile): void
  /** Something outside has changed: the world may be able to go on. */
  stir(): void
}

/** A pipe, as a fact shows it. */
export interface TracedPipe {
  readonly readableBytes: number
  readonly freeSlots: number
}

/** A socket, as a fact shows it. */
export interface TracedSocket extends OpenFile {
  /** Bits of shutdown(2) that hold already. */
  readonly shut: number
  /** Bytes that its queued messages hold, and how many they may. */
  readonly queuedCost: number
  readonly sendBuffer: number
}

/** A message in a socket's queue, as a fact shows it. */
export interface TracedMessage {
  readonly sender: TracedSocket
  /** What it takes of the sender's buffer. */
  readonly cost: number
}

/** A registration of epoll(7), as a fact shows it. */
export interface TracedWatch {
  readonly file: OpenFile
  /** The EPOLL* bits it asks for. */
  readonly events: number
}

/**
 * The facts that files tell, each once, where it happens. Unless said otherwise the task is the acting one, and what is told has not
 * changed anything yet.
 */
export class FileTracepoints {
  /** A call or a poll is about to look at the file or change it. A use of one end of a pair is a use of the other, too. */
  used: Tracepoint<[file: OpenFile]> = null
  /** A reference was given back; `left` are still held. */
  dropped: Tracepoint<[file: OpenFile, left: number]> = null
  /** The last reference is gone: the file ends. */
  finished: Tracepoint<[file: OpenFile]> = null

  /** Bytes go into a pipe; `inNewSlot`: they take a free one. */
  bytesPut: Tracepoint<[pipe: TracedPipe, bytes: number, inNewSlot: boolean]> = null
  /** Bytes leave a pipe; `freesSlot`: they are the last of their slot. */
  bytesTaken: Tracepoint<[pipe: TracedPipe, bytes: number, freesSlot: boolean]> = null
  /** F_SETPIPE_SZ: the pipe gets so many slots more, or fewer. */
  pipeResized: Tracepoint<[pipe: TracedPipe, slots: number]> = null

  /** A message goes into the queue of its sender's peer. */
  messageSent: Tracepoint<[message: TracedMessage]> = null
  /** A caller reads of a message, or peeks at it. */
  messageRead: Tracepoint<[message: TracedMessage]> = null
  /** A message is gone, and its memory is the sender's again. */
  messageFreed: Tracepoint<[message: TracedMessage]> = null
  /** Directions of a socket are shut down: by the caller, or by the end of its peer. */
  shutDown: Tracepoint<[socket: TracedSocket, bits: number, byEndOf?: OpenFile]> = null

  /** A registration of epoll is made or changed. */
  watchChanged: Tracepoint<[watch: TracedWatch]> = null
  /** A registration enters the ready list. */
  watchListed: Tracepoint<[watch: TracedWatch]> = null
  /** epoll_wait returns a registration's event. */
  watchReported: Tracepoint<[watch: TracedWatch, events: number]> = null

  /** A caller learns that the file's holders are gone: end of file, EPIPE. */
  toldEnd: Tracepoint<[file: OpenFile]> = null
  /** A caller learns that these directions of the socket are shut down. */
  toldShutDown: Tracepoint<[socket: TracedSocket, bits: number]> = null
  /** A caller learns that the file is ready for these POLL* events. */
  toldReady: Tracepoint<[file: OpenFile, events: number]> = null
  /** A caller learns how many bytes there are to read. */
  toldByteCount: Tracepoint<[file: OpenFile]> = null
}
