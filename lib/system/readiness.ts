/** System's calls that wait, for descriptors and for time. */

/** A descriptor and the requested events (POLL*). */
export interface PollRequest {
  /** The descriptor; poll ignores a negative one. */
  readonly fd: number
  /** A mask of POLL* bits. POLLERR, POLLHUP and POLLNVAL are always reported. */
  readonly events: number
}

/** An event of epoll: its mask (EPOLL*) and the data given with the registration. */
export interface EpollEvent {
  /** A mask of EPOLL* bits. */
  readonly events: number
  /** A safe integer, handed back as it was given. */
  readonly data: number
}

/** A cancellation of an asynchronous call. */
export interface Abortable {
  /** Aborting it rejects the call at once, with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** The callbacks of {@link System.watch}. An exception in one is uncaught in the process, and the watch goes on. */
export interface ReadinessListener {
  /** The descriptor has one of the events, an error or a hang-up. Called again for as long as that holds. */
  ready(revents: number): void
  /** The watch is over, because the descriptor was closed or replaced. */
  failed(error: unknown): void
}

/** A watch of one descriptor. */
export interface ReadinessWatch {
  /** Whether this watch keeps the event loop alive. */
  keepsAlive: boolean
  /** Ends the watch and its callbacks; idempotent. */
  stop(): void
}

/** The calls that wait for descriptors, blocking or on the event loop, and the clock of their deadlines. */
export interface Readiness {
  /**
   * `int poll(struct pollfd *, nfds_t, int timeout)`: one revents for each; a negative timeout waits without end.
   *
   * @see man 2 poll
   */
  poll(fds: readonly PollRequest[], timeoutMs: number): number[]
  /** `int epoll_create1(int flags)`. @see man 7 epoll */
  epollCreate1(flags?: number): number
  /** `int epoll_ctl(int epfd, int op, int fd, struct epoll_event *)`. @see man 2 epoll_ctl */
  epollCtl(epfd: number, op: number, fd: number, event?: EpollEvent): void
  /** `int epoll_wait(int epfd, struct epoll_event *, int maxevents, int timeout)`. @see man 2 epoll_wait */
  epollWait(epfd: number, maxEvents: number, timeoutMs: number): EpollEvent[]

  /**
   * Resolves on the event loop with revents, once the descriptor has one of `events` (POLL*), an error or a hang-up.
   *
   * The descriptor's flags stay unchanged, and any number of calls may wait on one descriptor. Closing or replacing it
   * through this System rejects with EBADF.
   */
  ready(fd: number, events: number, options?: Abortable): Promise<number>
  /**
   * Like {@link ready}, but calls back until it is stopped.
   *
   * @throws SystemError EBADF, and EPERM for files that epoll does not take.
   */
  watch(fd: number, events: number, listener: ReadinessListener): ReadinessWatch
  /** A monotonic clock in milliseconds. */
  now(): number
  /** Resolves after `ms` milliseconds of {@link now}; rejects with the signal's reason when aborted. */
  sleep(ms: number, options?: Abortable): Promise<void>
}
