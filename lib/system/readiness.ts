/** System's calls that wait: for what descriptors can do, and for time. */

/** A descriptor and the events asked for (POLL*). */
export interface PollRequest {
  /** The descriptor; a negative one is passed over. */
  readonly fd: number
  /** A mask of POLL* bits; POLLERR, POLLHUP and POLLNVAL are told anyway. */
  readonly events: number
}

/** An event of epoll: its mask (EPOLL*) and the data given with the registration. */
export interface EpollEvent {
  /** A mask of EPOLL* bits. */
  readonly events: number
  /** A safe integer, handed back as it was given. */
  readonly data: number
}

/** A cancellation for something awaited. */
export interface Abortable {
  /** Its abort rejects at once, with its reason. */
  readonly signal?: AbortSignal | undefined
}

/** What a {@link System.watch} calls. What its functions throw is an uncaught exception of the process, and the watch goes on. */
export interface ReadinessListener {
  /** The descriptor has one of the events, an error or a hang-up; called again for as long as that is so. */
  ready(revents: number): void
  /** The watch is over: the descriptor was closed or replaced. */
  failed(error: unknown): void
}

/** A watch of one descriptor. */
export interface ReadinessWatch {
  /** Whether this watch keeps the event loop alive. */
  keepsAlive: boolean
  /** Ends the watch; idempotent. Its listener is not called any more. */
  stop(): void
}

/** The calls that wait for descriptors, at once or on the event loop, and the clock that limits them. */
export interface Readiness {
  /** `int poll(struct pollfd *, nfds_t, int timeout)`: revents, one for each; a negative timeout waits without end. @see man 2 poll */
  poll(fds: readonly PollRequest[], timeoutMs: number): number[]
  /** `int epoll_create1(int flags)`. @see man 7 epoll */
  epollCreate1(flags?: number): number
  /** `int epoll_ctl(int epfd, int op, int fd, struct epoll_event *)`. @see man 2 epoll_ctl */
  epollCtl(epfd: number, op: number, fd: number, event?: EpollEvent): void
  /** `int epoll_wait(int epfd, struct epoll_event *, int maxevents, int timeout)`. @see man 2 epoll_wait */
  epollWait(epfd: number, maxEvents: number, timeoutMs: number): EpollEvent[]

  /**
   * Resolves with revents once the descriptor has one of `events` (POLL*), or an error or hang-up, on the event loop.
   *
   * The descriptor's flags are left alone, and any number may wait on one descriptor. Closing or replacing it through this System rejects with EBADF.
   */
  ready(fd: number, events: number, options?: Abortable): Promise<number>
  /** As {@link ready}, by callbacks and until it is stopped. @throws SystemError EBADF, and EPERM for files that epoll does not take. */
  watch(fd: number, events: number, listener: ReadinessListener): ReadinessWatch
  /** A monotonic clock in milliseconds. */
  now(): number
  /** Resolves after `ms` milliseconds of that clock; rejects with the signal's reason when aborted. */
  sleep(ms: number, options?: Abortable): Promise<void>
}
