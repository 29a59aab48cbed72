/** The end of a process that another process reaps, as its pidfd reports it. */

import { constants } from '../../system/constants.ts'
import { SystemError } from '../../system/errors.ts'
import { keptFor, privateCallsOf } from '../../system/private-calls.ts'
import type { ReadinessWatch, ResourceUsage, System } from '../../system/system.ts'
import { decodeWaitStatus, type ExitStatus, isExit } from '../../system/wait-status.ts'
import { closeOnce } from '../base/owned-fd.ts'

const { POLLHUP, POLLIN, P_PID, WEXITED, WNOHANG, WNOWAIT } = constants

/** The kernel reports a process's resource usage only to the process that reaps it. */
const unknownUsage: ResourceUsage = {
  userCPUTime: 0,
  systemCPUTime: 0,
  maxRSS: 0,
  minorPageFault: 0,
  majorPageFault: 0,
  fsRead: 0,
  fsWrite: 0,
  voluntaryContextSwitches: 0,
  involuntaryContextSwitches: 0,
}

type End = { readonly exit: ExitStatus & { readonly rusage: ResourceUsage } } | { readonly error: SystemError }

/** The wait for the end of a process that another process reaps. */
export interface PidfdEnd {
  /**
   * Resolves once the process is reaped. The kernel reports its status since Linux 6.15. A child of this process, which
   * the caller of System.fork is to reap, is asked for its status at its end.
   */
  readonly end: Promise<End>
  /** Names the process; -1 without a pidfd, and once it is closed. */
  readonly pidfd: number
  /** Whether the wait keeps the event loop alive. */
  keepsAlive: boolean
}

/** Waits for the end of a process that another process reaps, then closes the pidfd, which may be -1. */
export function endByPidfd(system: System, pid: number, pidfd: number): PidfdEnd {
  if (pidfd < 0) return noWait(pid, 'there is no pidfd to see its end by')
  const waits = waitsOf(system)
  const known = waits.get(pid)
  // A process that is attached to and detached time and again takes one descriptor, not one each time.
  if (known?.isUnreaped === true) {
    closeOnce(system, pidfd)
    return known.join()
  }
  let wait: Wait
  try {
    wait = new Wait(system, pid, pidfd)
  } catch (error) {
    // It is detached: that has succeeded.
    closeOnce(system, pidfd)
    return noWait(pid, `its pidfd cannot be watched (${(error as Error).message})`)
  }
  waits.set(pid, wait)
  void wait.end.then(() => {
    if (waits.get(pid) === wait) waits.delete(pid)
  })
  return wait.join()
}

function noWait(pid: number, why: string): PidfdEnd {
  return { end: Promise.resolve(unknownEnd(pid, `another process reaps it, and ${why}`)), pidfd: -1, keepsAlive: false }
}

const byPid = Symbol('waits by pidfd')

/** The waits under way. */
function waitsOf(system: System): Map<number, Wait> {
  const kept = keptFor(system)
  const waits = (kept[byPid] as Map<number, Wait> | undefined) ?? new Map<number, Wait>()
  kept[byPid] = waits
  return waits
}

function unknownEnd(pid: number, hint: string): End {
  return { error: new SystemError({ errno: 'ECHILD', syscall: 'waitpid', pid, hint }) }
}

/** The wait for one process, for every handle that was detached from it. */
class Wait {
  readonly end: Promise<End>
  readonly #system: System
  readonly #pid: number
  readonly #watch: ReadinessWatch
  readonly #hasPidfdInfo: boolean
  #pidfd: number
  #settle: ((end: End) => void) | undefined
  #handlesAlive = 0

  constructor(system: System, pid: number, pidfd: number) {
    this.#system = system
    this.#pid = pid
    this.#pidfd = pidfd
    this.end = new Promise<End>(resolve => {
      this.#settle = resolve
    })
    // A pidfd is readable from its process's end on, and hangs up once that is reaped. A kernel without PIDFD_GET_INFO
    // (before Linux 6.13) may not hang up (before 6.9): there the wait is over at the process's end.
    this.#hasPidfdInfo = privateCallsOf(system)?.pidfdExitStatus?.(pidfd) !== undefined
    const isOwnChild = endOfChild(system, pid) !== undefined
    this.#watch = system.watch(pidfd, isOwnChild || !this.#hasPidfdInfo ? POLLIN : 0, {
      ready: revents => this.#ready(revents),
      failed: () => this.#reaped(),
    })
    this.#watch.keepsAlive = false
  }

  /** The pidfd; -1 once closed. */
  get pidfd(): number {
    return this.#pidfd
  }

  /** Whether the pid is still this process's: no other one can have it. */
  get isUnreaped(): boolean {
    return privateCallsOf(this.#system)?.signalByPidfd(this.#pidfd, 0, false) === 0
  }

  /** One more handle waits. Its wait keeps the event loop alive. */
  join(): PidfdEnd {
    this.count(1)
    return new JoinedWait(this)
  }

  /** One handle more, or one less, keeps the event loop alive. */
  count(handles: 1 | -1): void {
    this.#handlesAlive += handles
    this.#watch.keepsAlive = this.#handlesAlive > 0
  }

  #ready(revents: number): void {
    if ((revents & POLLHUP) !== 0) {
      this.#reaped()
      return
    }
    const exit = endOfChild(this.#system, this.#pid)
    if (exit !== null && (exit !== undefined || !this.#hasPidfdInfo)) this.#endedWith(exit)
  }

  #reaped(): void {
    const raw = privateCallsOf(this.#system)?.pidfdExitStatus?.(this.#pidfd)
    this.#endedWith(typeof raw !== 'number' ? undefined : (decodeWaitStatus(raw) as ExitStatus))
  }

  #endedWith(exit: ExitStatus | undefined): void {
    this.#watch.stop()
    const pidfd = this.#pidfd
    this.#pidfd = -1
    this.#system.close(pidfd)
    this.#settle?.(
      exit === undefined
        ? unknownEnd(this.#pid, 'another process has reaped it; the kernel reports its exit status since Linux 6.15')
        : { exit: { ...exit, rusage: unknownUsage } },
    )
  }
}

class JoinedWait implements PidfdEnd {
  readonly #wait: Wait
  #keepsAlive = true

  constructor(wait: Wait) {
    this.#wait = wait
  }

  get end(): Promise<End> {
    return this.#wait.end
  }

  get pidfd(): number {
    return this.#wait.pidfd
  }

  get keepsAlive(): boolean {
    return this.#keepsAlive
  }

  set keepsAlive(keepsAlive: boolean) {
    if (keepsAlive === this.#keepsAlive) return
    this.#keepsAlive = keepsAlive
    this.#wait.count(keepsAlive ? 1 : -1)
  }
}

/** The end of a child, which stays a zombie; null before its end, undefined for no child of this process. */
function endOfChild(system: System, pid: number): ExitStatus | null | undefined {
  try {
    const status = system.waitid(P_PID, pid, WEXITED | WNOHANG | WNOWAIT)?.status
    return status !== undefined && isExit(status) ? status : null
  } catch (error) {
    // ECHILD; or a sandbox refuses the call, and the pidfd hangs up once another process has reaped the child.
    if (error instanceof SystemError) return undefined
    throw error
  }
}
