/** The end of a process that another process reaps, as its pidfd reports it. */

import { constants } from '../../system/constants.ts'
import { SystemError } from '../../system/errors.ts'
import { privateCallsOf } from '../../system/private-calls.ts'
import type { ReadinessWatch, ResourceUsage, System } from '../../system/system.ts'
import { decodeWaitStatus, type ExitStatus, isExit } from '../../system/wait-status.ts'

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
  /** Whether the wait keeps the event loop alive. */
  keepsAlive: boolean
}

/** Waits for the end of a process that another process reaps, then closes the pidfd. */
export function endByPidfd(system: System, pid: number, pidfd: number): PidfdEnd {
  const unknown = (hint: string): End => ({
    error: new SystemError({ errno: 'ECHILD', syscall: 'waitpid', pid, hint }),
  })
  if (pidfd < 0) {
    const end = Promise.resolve(unknown('another process reaps it, and there is no pidfd to see its end by'))
    return { end, keepsAlive: false }
  }
  let settle: (end: End) => void
  const end = new Promise<End>(resolve => {
    settle = resolve
  })
  const endedWith = (exit: ExitStatus | undefined) => {
    watch.stop()
    system.close(pidfd)
    settle(
      exit === undefined
        ? unknown('another process has reaped it; the kernel reports its exit status since Linux 6.15')
        : { exit: { ...exit, rusage: unknownUsage } },
    )
  }
  const reaped = () => {
    const raw = privateCallsOf(system)?.pidfdExitStatus?.(pidfd)
    endedWith(typeof raw !== 'number' ? undefined : (decodeWaitStatus(raw) as ExitStatus))
  }
  const ready = (revents: number) => {
    if ((revents & POLLHUP) !== 0) return reaped()
    const exit = endOfChild(system, pid)
    if (exit !== null && (exit !== undefined || !hasPidfdInfo)) endedWith(exit)
  }
  // A pidfd is readable from its process's end on, and hangs up once that is reaped. A kernel without PIDFD_GET_INFO
  // (before Linux 6.13) may not hang up (before 6.9): there the wait is over at the process's end.
  const hasPidfdInfo = privateCallsOf(system)?.pidfdExitStatus?.(pidfd) !== undefined
  const isOwnChild = endOfChild(system, pid) !== undefined
  const watch = system.watch(pidfd, isOwnChild || !hasPidfdInfo ? POLLIN : 0, { ready, failed: reaped })
  return new WatchedEnd(end, watch)
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

/** Not an object literal with accessors: V8 keeps what those close over until a full collection. */
class WatchedEnd implements PidfdEnd {
  readonly end: Promise<End>
  readonly #watch: ReadinessWatch

  constructor(end: Promise<End>, watch: ReadinessWatch) {
    this.end = end
    this.#watch = watch
  }

  get keepsAlive(): boolean {
    return this.#watch.keepsAlive
  }

  set keepsAlive(keepsAlive: boolean) {
    this.#watch.keepsAlive = keepsAlive
  }
}
