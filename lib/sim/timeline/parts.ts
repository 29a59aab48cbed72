/** What a timeline is made of: who did what, in order, and what passed between them. */

/** One thread of control: the host, a process, or a further thread of one. */
export interface TimelineColumn {
  /** The process. */
  readonly pid: number
  /** A thread's own number; the process's first thread has its pid. */
  readonly tid: number
  /** 'host', the path of the program it ran last, or 'child' of one that never exec'd. */
  readonly name: string
  /** The event that made it, by its index: a fork or a clone. Undefined for the host. */
  readonly bornAt: number | undefined
}

/**
 * What an event is.
 *
 * - `call`: a system call that ended at once; `failed`: one that ended with an errno.
 * - `blocked`: one that could not finish, or an await; `resumed`: its end, later.
 * - `stop`, `go`: a stop, and the end of a stop; `signal`: a handler begins.
 * - `exec`, `exit`: the process becomes another program, or ends.
 * - `next`: what did not happen any more: the call a process was about to make when the recording ended.
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

/** What a finding points at. */
export interface EventMark {
  /** In a word: 'race', 'deadlock', 'leak', 'error'; 'fault' and 'cause' of what led there. */
  readonly kind: string
  /** What there is to say of this event. */
  readonly text: string
}

/** Something that one process did, or that happened to it. */
export interface TimelineEvent {
  /** Index of its column. */
  readonly column: number
  /** What kind of event it is. */
  readonly kind: TimelineEventKind
  /** 'read(4) = 1', 'SIGSTOP', 'exec /bin/true'. */
  readonly text: string
  /** Milliseconds of the world's clock. */
  readonly atMs: number
  /** What the reader is to look at, if this event is part of a finding. */
  readonly mark: EventMark | undefined
  /** Events left out before this one: of a very long run the beginning and the end are kept, and what a finding points at. */
  readonly skipped: number
}

/** What passed from one event to another: bytes, a signal, an end of file, the leave to go on, news of a child; or who waits for whom in a finding. */
export interface TimelineArrow {
  /** Indices of events; `from` comes first, unless it waits. */
  readonly from: number
  /** The index of the event it leads to. */
  readonly to: number
  /** What has passed along it. */
  readonly kind: 'bytes' | 'end-of-file' | 'signal' | 'resume' | 'child' | 'waits'
  /** '1 byte', 'SIGUSR1' … */
  readonly label: string
}

/** What a timeline is made of. */
export interface TimelineParts {
  /** One for each process and thread, from left to right. */
  readonly columns: readonly TimelineColumn[]
  /** What happened, in its order. */
  readonly events: readonly TimelineEvent[]
  /** What led from one event to another. */
  readonly arrows: readonly TimelineArrow[]
}
