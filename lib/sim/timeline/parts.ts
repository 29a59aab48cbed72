/** The parts of a timeline: columns of processes and threads, their events in order, and arrows between events. */

/** One thread of control: the host, a process, or a further thread of one. */
export interface TimelineColumn {
  /** The process's number. */
  readonly pid: number
  /** The thread's number; the process's first thread has its pid. */
  readonly tid: number
  /** 'host', the path of its last program, or 'child' if it never called exec. */
  readonly name: string
  /** Index of the fork or clone event that made it; undefined for the host. */
  readonly bornAt: number | undefined
}

/**
 * The kind of an event.
 *
 * - `call`: a system call that returned at once; `failed`: one that returned an errno.
 * - `blocked`: a call that blocked, or an await; `resumed`: its end, later.
 * - `stop`, `go`: a stop, and the end of a stop; `signal`: a handler begins.
 * - `exec`, `exit`: the process runs another program, or ends.
 * - `next`: the call that a process was about to make when the recording ended.
 */
export type TimelineEventKind =
  | 'call'
  | 'failed'
  | 'blocked'
  | 'resumed'
  | 'stop'
  | 'go'
  | 'signal'
  | 'exec'
  | 'exit'
  | 'next'

/** The mark of a finding on an event. */
export interface EventMark {
  /** 'race', 'deadlock', 'leak' or 'error'; 'fault' or 'cause' for an event that led there. */
  readonly kind: string
  /** The finding's statement about this event. */
  readonly text: string
}

/** A call of a process or thread, or something that happened to it. */
export interface TimelineEvent {
  /** Index of its column. */
  readonly column: number
  /** The kind of event. */
  readonly kind: TimelineEventKind
  /** 'read(4) = 1', 'SIGSTOP', 'exec /bin/true'. */
  readonly text: string
  /** Milliseconds of the world's clock. */
  readonly atMs: number
  /** The mark of a finding, if the event is part of one. */
  readonly mark: EventMark | undefined
  /** Number of events left out before this one. A very long run keeps its beginning, its end and marked events. */
  readonly skipped: number
}

/**
 * Something that passed from one event to another: bytes, a signal, an end of file, the end of a stop, a child's change
 * of state. In a deadlock also an arrow from a waiting process to one it waits for (`waits`).
 */
export interface TimelineArrow {
  /** Index of the event it starts from, which is the earlier one except for `waits`. */
  readonly from: number
  /** Index of the event it leads to. */
  readonly to: number
  /** What passes along it. */
  readonly kind: 'bytes' | 'end-of-file' | 'signal' | 'resume' | 'child' | 'waits'
  /** '1 byte', 'SIGUSR1' … */
  readonly label: string
}

/** The parts of a timeline. */
export interface TimelineParts {
  /** A column for each process and thread, from left to right. */
  readonly columns: readonly TimelineColumn[]
  /** The events, in order. */
  readonly events: readonly TimelineEvent[]
  /** The arrows between events. */
  readonly arrows: readonly TimelineArrow[]
}
