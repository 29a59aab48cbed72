/** System's calls on processes: forks, waits, signals. */

import type { ChildProgram } from './child-program.ts'
import type { Signal } from './signals.ts'
import type { WaitStatus } from './wait-status.ts'

/** What a child and its awaited descendants used: getrusage(2), in the names and units of process.resourceUsage(). */
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
  /** Context switches because the process waited for something. */
  readonly voluntaryContextSwitches: number
  /** Context switches because the scheduler preempted the process. */
  readonly involuntaryContextSwitches: number
}

/** The result of wait4(2): the child, its raw status, the decoded status, and its resource usage. */
export interface WaitResult {
  /** The child, or the thread of a tracee, that changed state. */
  readonly pid: number
  /** The raw status, as WIFEXITED and the like take it. */
  readonly raw: number
  /** The decoded status. */
  readonly status: WaitStatus
  /** Resources used so far. */
  readonly rusage: ResourceUsage
}

/** The result of waitid(2). */
export interface WaitidResult {
  /** The child, or the thread of a tracee, that changed state. */
  readonly pid: number
  /** The status, from si_code and si_status. */
  readonly status: WaitStatus
}

/** The calls that start children, wait for them, and signal processes. */
export interface Processes {
  /** Forks a child that runs the program; its pid. The tracer of `traceme` is the calling thread. @see man 2 clone */
  fork(program: ChildProgram): number
  /**
   * `pid_t wait4(pid_t, int *status, int options, struct rusage *)`; null for WNOHANG with nothing yet.
   *
   * @see man 2 wait4
   */
  waitpid(pid: number, options?: number): WaitResult | null
  /**
   * `int waitid(idtype_t, id_t, siginfo_t *, int options)`; null for WNOHANG with nothing yet.
   *
   * WNOWAIT leaves the change to be waited for again. __WALL, __WCLONE and __WNOTHREAD work, unlike in waitid(3).
   *
   * @example system.waitid(constants.P_PID, pid, constants.WEXITED | constants.WNOHANG | constants.WNOWAIT)
   * @see man 2 waitid
   */
  waitid(idType: number, id: number, options: number): WaitidResult | null
  /** `int kill(pid_t pid, int signal)`. @see man 2 kill */
  kill(pid: number, signal: Signal): void
  /** `int tgkill(pid_t tgid, pid_t tid, int signal)`: a signal for one thread. @see man 2 tgkill */
  tgkill(pid: number, tid: number, signal: Signal): void
  /**
   * `int rt_tgsigqueueinfo(pid_t tgid, pid_t tid, int sig, siginfo_t *)`: a signal for one thread, with a siginfo that
   * the caller makes. Its si_signo is the signal.
   *
   * EPERM for a code that only the kernel may send (not negative, or SI_TKILL), unless to the calling thread.
   * ERR_INVALID_ARG_VALUE for a number of bytes other than 128.
   *
   * @see man 2 rt_tgsigqueueinfo
   */
  tgsigqueueinfo(pid: number, tid: number, siginfo: Uint8Array): void
  /**
   * Calls the listener whenever a child may have changed state (SIGCHLD); returns the function that unsubscribes.
   *
   * A subscription keeps the event loop alive unless `keepAlive` is false.
   */
  onChildChange(listener: () => void, options?: { readonly keepAlive?: boolean }): () => void
}
