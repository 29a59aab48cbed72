/**
 * The System: what a Linux is to this package. Channel, launch and Tracee know nothing else.
 *
 * Two implementations exist: the native one over the addon, and the simulated kernel.
 */

import type { ChildProgram } from './child-program.ts'
import type { RegisterChanges, Registers } from './registers.ts'
import type { Signal, SignalName } from './signals.ts'
import type { WaitStatus } from './wait-status.ts'

/** What a child and its awaited descendants used, getrusage(2), in the names and units of process.resourceUsage(). */
export interface ResourceUsage {
  /** Microseconds of user time. */
  readonly userCPUTime: number
  /** Microseconds of system time. */
  readonly systemCPUTime: number
  /** Largest resident set in kibibytes. */
  readonly maxRSS: number
  /** Page faults served without I/O. */
  readonly minorPageFault: number
  /** Page faults that took I/O. */
  readonly majorPageFault: number
  /** Reads by the file system, in blocks of 512 bytes. */
  readonly fsRead: number
  /** Writes by the file system, in blocks of 512 bytes. */
  readonly fsWrite: number
  /** How often it waited for something. */
  readonly voluntaryContextSwitches: number
  /** How often it was made to wait for the processor. */
  readonly involuntaryContextSwitches: number
}

/** What wait4(2) gives: which child, its raw status, the status decoded, and what it used. */
export interface WaitResult {
  /** The child, or the thread of a tracee, that the status is of. */
  readonly pid: number
  /** The status as the kernel gives it: what WIFEXITED and its like take. */
  readonly raw: number
  /** The same, decoded. */
  readonly status: WaitStatus
  /** What it has used until now. */
  readonly rusage: ResourceUsage
}

/** siginfo_t as PTRACE_GETSIGINFO gives it; the fields that the signal's origin fills. */
export interface SignalInfo {
  /** si_signo, by its name. */
  readonly signal: SignalName
  /** si_code: 0 (SI_USER) or negative from a process, positive from the kernel. */
  readonly code: number
  /** si_errno, mostly 0. */
  readonly errno: number
  /** The sender, or the child a SIGCHLD is about. */
  readonly pid?: number
  /** The sender's real user, or that of the child. */
  readonly uid?: number
  /** Of SIGCHLD: the child's exit code or signal. */
  readonly status?: number
  /** Of a fault (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP): the address. */
  readonly address?: bigint
}

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

/**
 * System calls by name. Each throws SystemError on failure; a call that would block, blocks.
 *
 * Arguments of a wrong type or range are refused with Node's ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE and ERR_INVALID_ARG_VALUE before any call.
 */
export interface System {
  /** 'native' over the real kernel, 'simulated' over the simulated one. */
  readonly kind: 'native' | 'simulated'

  /** `int pipe2(int fds[2], int flags)`: a one-way channel. @see man 2 pipe2 */
  pipe2(flags?: number): [readFd: number, writeFd: number]
  /** `int socketpair(int domain, int type, int protocol, int fds[2])`: a two-way channel. @see man 2 socketpair */
  socketpair(domain: number, type: number, protocol?: number): [number, number]
  /** `ssize_t read(int fd, void *buffer, size_t count)`: the bytes read; 0 at end of file. @see man 2 read */
  read(fd: number, buffer: Uint8Array): number
  /** `ssize_t write(int fd, const void *data, size_t count)`: the bytes written. @see man 2 write */
  write(fd: number, data: Uint8Array): number
  /** `ssize_t send(int fd, const void *data, size_t count, int flags)`. @see man 2 send */
  send(fd: number, data: Uint8Array, flags?: number): number
  /** `ssize_t recv(int fd, void *buffer, size_t count, int flags)`. @see man 2 recv */
  recv(fd: number, buffer: Uint8Array, flags?: number): number
  /** `ssize_t sendmsg(int fd, const struct msghdr *, int flags)`, with descriptors as SCM_RIGHTS. @see man 7 unix */
  sendmsg(fd: number, message: { data: Uint8Array; fds?: readonly number[] }, flags?: number): number
  /** `ssize_t recvmsg(int fd, struct msghdr *, int flags)`: the bytes, the descriptors received, msg_flags (MSG_CTRUNC …). @see man 2 recv */
  recvmsg(
    fd: number,
    into: { buffer: Uint8Array; maxFds?: number },
    flags?: number,
  ): { bytes: number; fds: number[]; flags: number }
  /** `int shutdown(int fd, int how)`. @see man 2 shutdown */
  shutdown(fd: number, how: number): void
  /** `int close(int fd)`. @see man 2 close */
  close(fd: number): void
  /** `int dup(int fd)`. @see man 2 dup */
  dup(fd: number): number
  /** `int dup3(int fd, int target, int flags)`. @see man 2 dup */
  dup3(fd: number, target: number, flags?: number): number
  /** `int fcntl(int fd, int command, int argument)`, the commands whose argument is an integer. @see man 2 fcntl */
  fcntl(fd: number, command: number, argument?: number): number
  /** `int getsockopt(...)` of an int option: SO_ERROR, SO_SNDBUF, SO_TYPE … @see man 7 socket */
  getsockopt(fd: number, level: number, option: number): number
  /** `int setsockopt(...)` of an int option. @see man 7 socket */
  setsockopt(fd: number, level: number, option: number, value: number): void
  /** `ioctl(fd, FIONREAD)`: the bytes that can be read. @see man 2 ioctl */
  bytesReadable(fd: number): number
  /** `int poll(struct pollfd *, nfds_t, int timeout)`: revents, one for each; a negative timeout waits without end. @see man 2 poll */
  poll(fds: readonly PollRequest[], timeoutMs: number): number[]
  /** `int epoll_create1(int flags)`. @see man 7 epoll */
  epollCreate1(flags?: number): number
  /** `int epoll_ctl(int epfd, int op, int fd, struct epoll_event *)`. @see man 2 epoll_ctl */
  epollCtl(epfd: number, op: number, fd: number, event?: EpollEvent): void
  /** `int epoll_wait(int epfd, struct epoll_event *, int maxevents, int timeout)`. @see man 2 epoll_wait */
  epollWait(epfd: number, maxEvents: number, timeoutMs: number): EpollEvent[]
  /** Opens a file that exists, writes `text` in one write, closes it: /proc/PID/uid_map, cgroup.procs. */
  writeFile(path: string, text: string): void

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

  /** Forks a child that runs the program; its pid. The tracer of `traceme` is the calling thread. @see man 2 clone */
  fork(program: ChildProgram): number
  /** `pid_t wait4(pid_t, int *status, int options, struct rusage *)`; null for WNOHANG with nothing yet. @see man 2 wait4 */
  waitpid(pid: number, options?: number): WaitResult | null
  /** `int kill(pid_t pid, int signal)`. @see man 2 kill */
  kill(pid: number, signal: Signal): void
  /** `int tgkill(pid_t tgid, pid_t tid, int signal)`: a signal for one thread. @see man 2 tgkill */
  tgkill(pid: number, tid: number, signal: Signal): void
  /**
   * Calls the listener whenever some child may have changed state (SIGCHLD); returns the function that unsubscribes.
   *
   * A subscription keeps the event loop alive unless `keepAlive` is false.
   */
  onChildChange(listener: () => void, options?: { readonly keepAlive?: boolean }): () => void

  /** PTRACE_CONT: lets a stopped tracee run, delivering `signal` if one is given. @see man 2 ptrace */
  ptraceCont(pid: number, signal?: Signal): void
  /** PTRACE_SINGLESTEP. */
  ptraceStep(pid: number, signal?: Signal): void
  /** PTRACE_SYSCALL: runs to the next system call's entry or exit. */
  ptraceSyscall(pid: number, signal?: Signal): void
  /** PTRACE_DETACH. The signal is delivered at signal-delivery stops only. */
  ptraceDetach(pid: number, signal?: Signal): void
  /** PTRACE_SEIZE with PTRACE_O_* options: attaches without stopping. */
  ptraceSeize(pid: number, options: number): void
  /** PTRACE_ATTACH: attaches and stops. */
  ptraceAttach(pid: number): void
  /** PTRACE_INTERRUPT: stops a seized tracee. */
  ptraceInterrupt(pid: number): void
  /** PTRACE_LISTEN: keeps a seized tracee in its group-stop until SIGCONT. */
  ptraceListen(pid: number): void
  /** PTRACE_SETOPTIONS with PTRACE_O_* options. */
  ptraceSetOptions(pid: number, options: number): void
  /** PTRACE_GETEVENTMSG: the new pid of a fork event, the status of an exit event, the former tid of an exec event. */
  ptraceGetEventMessage(pid: number): number
  /** PTRACE_GETSIGINFO. EINVAL at a group-stop. */
  ptraceGetSigInfo(pid: number): SignalInfo
  /** PTRACE_GETREGSET of NT_PRSTATUS. A 32-bit tracee of a 64-bit kernel has 32-bit registers. */
  ptraceGetRegisters(pid: number): Registers
  /**
   * PTRACE_SETREGSET of NT_PRSTATUS; registers left out keep their values.
   *
   * ERR_INVALID_ARG_VALUE for a name that is no register of this tracee, and for `pc` and its own name with different values.
   */
  ptraceSetRegisters(pid: number, registers: RegisterChanges): void
  /** PTRACE_GETSIGMASK: the signals that the tracee blocks. */
  ptraceGetSigMask(pid: number): SignalName[]
  /** PTRACE_SETSIGMASK: the signals the tracee blocks from now on. */
  ptraceSetSigMask(pid: number, signals: readonly Signal[]): void
  /** Reads a tracee's memory, pages without access included; fewer bytes when the range leaves what is mapped, EFAULT when nothing is. */
  readMemory(pid: number, address: bigint, length: number): Uint8Array
  /** Writes a tracee's memory, read-only pages included (PTRACE_POKEDATA's power); the bytes written. */
  writeMemory(pid: number, address: bigint, data: Uint8Array): number
}
