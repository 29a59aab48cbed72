/** Internal calls of this package's own Systems, besides the public ones. Other implementations of System have none. */

import type { ChildReport } from './child-program.ts'
import type { System, WaitidResult } from './system.ts'

/**
 * Descriptors owned by a worker thread. The addon closes whatever is left when the worker is terminated, since no
 * JavaScript runs then.
 */
export interface DescriptorOwnership {
  /** Adds a descriptor that is already open. */
  add(fd: number): void
  /** Adds every descriptor opened inside `make`, atomically with the call that opens it. */
  during<T>(make: () => T): T
}

/** Sockets that a program sends its state to: sd_notify(3). */
export interface NotifySockets {
  /** Opens one. `address` is for the program's NOTIFY_SOCKET. */
  open(): { readonly fd: number; readonly address: string }
  /** The next datagram, with its sender; throws EAGAIN if there is none. */
  receive(fd: number, buffer: Uint8Array): NotificationSender & { readonly bytes: number }
  /** Whether the sender is a child, one of its descendants, or another process of this user. */
  isTrusted(sender: NotificationSender, child: number): boolean
}

/** The credentials that the kernel attaches to a datagram. */
interface NotificationSender {
  readonly pid: number
  readonly uid: number
}

/** A task as the kernel lists it. */
export interface TaskFacts {
  /** The process that it is a thread of. */
  readonly process: number
  /** The parent of that process. */
  readonly parent: number
  /** The thread that traces it; 0 without one. */
  readonly tracer: number
  /** R, S, D, T, t, Z, X: as in /proc/PID/stat. */
  readonly state: string
  /** How many threads its process has, including ended ones that are not reaped. */
  readonly threads: number
  /** Of a zombie: its raw wait status. */
  readonly exitStatus?: number
  /** Tells the memory of a program and the copies of it from others; 0 where it is not known. Not that of a zombie. */
  readonly memoryMark: number
}

/** The result of takeStop(). */
interface TakenStop {
  /** The raw wait status. */
  readonly raw: number
  /** PTRACE_GETEVENTMSG of the stop; undefined if it was not fetched. */
  readonly message: number | undefined
}

export interface PrivateCalls {
  /** Absent if the System has no such sockets. */
  readonly notifySockets?: NotifySockets
  /** Absent if no descriptor outlives the thread. */
  readonly ownership?: DescriptorOwnership
  /**
   * Names the children that launch() waits for. Its wait would take a tracee's stops, so the public calls refuse to
   * attach to them.
   */
  refuseToAttach(isAwaited: (pid: number) => boolean): void
  /**
   * Takes the failure record that a child of a program with `keepsReport` has left in memory; undefined if it has left
   * none. Must be called for every child that may have failed: a record left behind keeps its memory from being reused.
   */
  takeReport(pid: number): ChildReport | undefined
  /**
   * Keeps the event loop alive for child changes, from a call with true to one with false. Where it is absent, a
   * subscription does the same, which takes longer for each launch.
   */
  keepAlive?(isAlive: boolean): void
  /** PTRACE_SEIZE of an awaited child. */
  seizeAwaited(pid: number, options: number): void
  /** Whether an unreaped child has exec'ed since its fork, or is about to end; undefined if that cannot be known. */
  hasExeced(pid: number): boolean | undefined
  /**
   * A cause behind execve's ENOENT for these files, seen from the child's working directory; undefined if there is
   * nothing to add.
   */
  whyNotFound(files: readonly string[], directory: string | undefined): string | undefined
  /** Why a child's PTRACE_TRACEME was refused; undefined if there is nothing to add. */
  whyNoTraceme?(): string | undefined
  /** Whether /proc shows the processes by the numbers that this one knows. If not, the calls below know of none. */
  seesTasks?(): boolean
  /** What is known of a task besides its stops; undefined if it does not exist. */
  taskOf?(tid: number): TaskFacts | undefined
  /** The memoryMark of a tracee at the event of its exec; as that of taskOf(), which takes longer. */
  memoryMarkOf?(tid: number): number
  /** Whether a task has ended and is not reaped. taskOf() says so too, but takes longer. */
  isZombie?(tid: number): boolean
  /** Whether the caller of System traces a task by requests of its own, or has forked it. */
  isOfUser?(tid: number): boolean
  /** How often this System has resumed a tracee or let it go. */
  resumptions?(): number
  /** Whether a process is about to exec or to end, killing its other threads. */
  isEndingOrExecing?(pid: number): boolean
  /** Whether a task waits in an exec. */
  isExecing?(tid: number): boolean
  /** Whether a tracee of the calling thread is in a ptrace-stop, even if a wait has already consumed the stop. */
  isInTraceStop(pid: number): boolean
  /**
   * Takes a tracee's stop. With `waits` it blocks until there is one; otherwise null if there is none yet. Undefined
   * for a task that has ended or is not a tracee, about which waitpid says more.
   *
   * It does not ask for the resource usage, for which the kernel would sum up all threads of the process.
   */
  takeStop?(tid: number, waits: boolean): TakenStop | null | undefined
  /**
   * Takes the stop of a child in launch(): its raw wait status, or 0 if there is none that can be taken, about which
   * waitpid says more. The child's own SIGSTOP is 'answered' in the same call, which shortens each launch: the child
   * gets these PTRACE_O_* options and goes on.
   */
  takeLaunchStop?(pid: number, ownStopOptions: number): number | 'answered'
  /**
   * waitid(2) of P_ALL, which leaves the change pending. Null for ECHILD too, and 'refused' for any other error: to
   * throw one takes ten times as long as the call.
   */
  lookAtAll?(options: number): WaitidResult | null | 'refused'
  /**
   * In a listener of onChildChange(): calls the listeners once more in this turn of the event loop, after the
   * microtasks. False outside a listener, and after many such calls in one turn.
   */
  lookAgain?(): boolean
  /** pidfd_open(2): a descriptor, or a negative errno if the kernel or a sandbox refuses it. */
  openPidfd(pid: number): number
  /**
   * The raw wait status of a reaped process, by PIDFD_GET_INFO (Linux 6.15); null before it is reaped, or from a kernel
   * that has the request without the status; undefined if the kernel has no such request (before Linux 6.13).
   */
  pidfdExitStatus?(pidfd: number): number | null | undefined
  /** The threads of a process, by /proc/PID/task; undefined if there is none. */
  threadsOf?(pid: number): number[] | undefined
  /**
   * pidfd_send_signal(2) to the process, or with `toGroup` to the process group that it leads: 0 or a negative errno.
   * Before Linux 6.9 EINVAL for groups.
   */
  signalByPidfd(pidfd: number, signal: number, toGroup: boolean): number
  /** Whether a process group has a member that is not a zombie. */
  hasLivingMember(group: number): boolean
  /**
   * Makes this process's group the foreground group of its terminal, if that is now `group`, or a group without
   * processes. Absent without terminals.
   */
  reclaimTerminal?(group: number): void
  /** The user of the peer of a connected unix socket, SO_PEERCRED; a negative errno for what has none. */
  peerUser?(fd: number): number
  /** The foreground group of a terminal, given its master; 0 or a negative errno if there is none. */
  foregroundGroup?(master: number): number
}

/** Not a WeakMap: its entries outlive the short-lived worlds of an exploration, which halves its schedule rate. */
const offered = Symbol('private calls')

/** Each System of this package calls this once, at construction. */
export function offerPrivateCalls(system: System, calls: PrivateCalls): void {
  Object.defineProperty(system, offered, { value: new Offered(system, calls) })
}

class Offered implements Kept {
  [keeper: symbol]: unknown
  /** The owner. A Proxy forwards this property but is not the owner. */
  readonly by: System
  readonly calls: PrivateCalls

  constructor(by: System, calls: PrivateCalls) {
    this.by = by
    this.calls = calls
  }
}

/** Undefined for other implementations of System, including a Proxy around one of ours. */
export function privateCallsOf(system: object): PrivateCalls | undefined {
  const offer = (system as { readonly [offered]?: Offered })[offered]
  return offer?.by === system ? offer.calls : undefined
}

/** What is kept for other implementations of System. */
const keptForOthers = new WeakMap<object, Kept>()

/** What the library keeps for one System, as long as that lives; each keeper under a symbol of its own. */
interface Kept {
  [keeper: symbol]: unknown
}

/** What a System knows of a launch's failed step, besides the errno. */
type Explanations = Pick<PrivateCalls, 'whyNotFound' | 'whyNoTraceme'>

const explanations = Symbol('explanations')

/** Makes a wrapper around a System explain failures as that System does. */
export function explainAs(wrapper: System, system: System): void {
  keptFor(wrapper)[explanations] = privateCallsOf(system)
}

/** Undefined for other implementations of System, unless explainAs() was called for one. */
export function explanationsOf(system: System): Explanations | undefined {
  return privateCallsOf(system) ?? (keptFor(system)[explanations] as Explanations | undefined)
}

/** Not by a WeakMap for this package's own Systems, for the reason above. */
export function keptFor(system: object): Kept {
  const offer = (system as { readonly [offered]?: Offered })[offered]
  if (offer?.by === system) return offer
  let kept = keptForOthers.get(system)
  if (kept === undefined) {
    kept = {}
    keptForOthers.set(system, kept)
  }
  return kept
}

/** PTRACE_SEIZE of a child that a launch awaits. */
export function seizeAwaited(system: System, pid: number, options: number): void {
  const calls = privateCallsOf(system)
  if (calls === undefined) system.ptraceSeize(pid, options)
  else calls.seizeAwaited(pid, options)
}

/** The hint for a child that launch() waits for. */
export const awaitedHint =
  'launch() waits for this child and would take its stops; ' +
  'attach() traces it, and System.fork makes one that is not waited for'
