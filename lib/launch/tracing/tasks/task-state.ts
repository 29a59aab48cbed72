/** The state of a traced thread, and the requests that it refuses in this state. */

import { isErrno, SystemError } from '../../../system/errors.ts'
import type { System } from '../../../system/system.ts'
import type { ExitStatus, StopStatus, WaitStatus } from '../../../system/wait-status.ts'
import type { WatchedChild } from '../../children/watched-child.ts'
import { Interruption } from './interruption.ts'
import { NextChange } from './next-change.ts'
import type { Tracing } from './options.ts'
import { Resumption } from './resumption.ts'

/** A stop as it is shown: `child` is the object of a thread or a process. */
export type Stop = StopStatus<object>

/** Why a thread is no longer traced: its own end, an exec of another thread, or a detach. */
export type EndReason = 'exit' | 'exec' | 'detach'

/** The user's object of a thread. */
export interface ThreadFace {
  /** The object itself. */
  readonly object: object
  stopped(stop: Stop): void
  ended(reason: EndReason, status: ExitStatus | null): void
}

/** How a parked task goes on, and what it waits for: the user, or the end of a step over a breakpoint. */
interface Parked {
  /** Whether the stop is shown, like any other. */
  readonly isShown: boolean
  readonly by: 'user' | 'gate'
  readonly resume: () => void
}

/** What the state of a task depends on in its process. */
export interface TaskProcess {
  readonly system: System
  readonly pid: number
  readonly tracing: Tracing | null
  readonly hasEnded: boolean
  /** Whether detach() or handOff() has begun. */
  readonly isLeaving: boolean
}

export class TaskState<Process extends TaskProcess> {
  readonly owner: Process
  readonly tid: number
  readonly resumption: Resumption
  readonly interruption: Interruption
  /** Settles at the next shown stop, or at the end. */
  readonly next: NextChange
  face: ThreadFace | undefined
  /** The stop that the user may resume it from; null while it runs. */
  stop: Stop | null = null
  /** Set while the task is kept from running, by stopAll() or for a step over a breakpoint. */
  parked: Parked | null = null
  /** The latest stop, as the kernel reported it. */
  at: StopStatus | null = null
  /** PTRACE_GETEVENTMSG of that stop, if it was fetched along with it. */
  message: number | undefined
  /** Whether its end is part of an exec, or of the end of its process. */
  isEndingWithOthers = false
  /** The first stop, if it was not the birth's own: held back until the user has seen the birth. */
  heldBack: StopStatus | null = null
  /** Receives each change while the task is being detached. True: it has dealt with the change. */
  interceptor: ((status: WaitStatus) => boolean) | null = null
  /** Whether it was killed before it could be detached: its end is still to be waited for. */
  isDying = false
  /** Whether its first stop is still to come. */
  isUnborn = false
  /** Whether the SIGSTOP of its birth may still come (traceme). */
  isBirthStopDue = false
  /** Whether PTRACE_LISTEN keeps it in its group stop. */
  isListening = false
  /** Whether it has been in a group stop since it last ran. */
  wasGroupStopped = false
  /** Whether it waits in the kernel for its vfork child. */
  isInVfork = false
  /**
   * Whether the signal of its stop is not to be delivered: the SIGSTOP of an interrupt or of its birth, or a signal
   * that the user has not passed on.
   */
  isSignalDropped = false
  /** Whether its debug registers are to be written anew. */
  watchesChanged = false
  /** The PTRACE_O_* bits in force. */
  options: number
  /** The bits in force when it stopped: the tasks that it has started inherited them. */
  optionsAtStop: number
  /** The bits replaced at its stop: a task killed there still stops at its exit event if they ask for it. */
  optionsReplaced = 0
  /** The address of the breakpoint that it is resumed from, until it has stepped over it. */
  stepsOver: bigint | null = null
  /** Whether it has stepped over a breakpoint, with the trap still pending: an interrupt or a group stop came first. */
  isTrapLate = false
  /** The breakpoint from which it went into a signal handler, which will return there. */
  returnsTo: { readonly address: bigint; readonly sp: bigint } | null = null
  endReason: EndReason | null = null
  exit: ExitStatus | null = null
  readonly #watched: () => WatchedChild

  constructor(owner: Process, tid: number, options: number, watched: () => WatchedChild) {
    const { system, pid } = owner
    this.owner = owner
    this.tid = tid
    this.options = options
    this.optionsAtStop = options
    this.#watched = watched
    this.resumption = new Resumption(system, pid, tid)
    this.interruption = new Interruption(system, pid, tid)
    this.next = new NextChange(system, watched)
  }

  get watched(): WatchedChild {
    return this.#watched()
  }

  get isMain(): boolean {
    return this.tid === this.owner.pid
  }

  get hasEnded(): boolean {
    return this.endReason !== null
  }

  /** Whether a SIGSTOP of an interrupt, or of its birth, may be pending (traceme). */
  get isSigstopDue(): boolean {
    return this.owner.tracing === 'traceme' && (this.isBirthStopDue || this.interruption.isDue)
  }

  /** Whether the kernel has it at a stop, shown or not. */
  get isStopped(): boolean {
    return this.stop !== null || this.parked !== null
  }

  /** Whether its stop is one that is not shown. */
  get isStopHidden(): boolean {
    return this.parked !== null && !this.parked.isShown
  }

  /** PTRACE_GETEVENTMSG of the stop that it is at. */
  eventMessage(): number {
    return this.message ?? this.owner.system.ptraceGetEventMessage(this.tid)
  }

  /** Whether a detach() or handOff() has taken it from its stop, or is about to stop it. */
  get isBeingLetGo(): boolean {
    const { isLeaving, tracing, hasEnded } = this.owner
    if (!isLeaving || tracing === null || hasEnded || this.hasEnded) return false
    return this.stop === null || this.interceptor !== null
  }

  /** Whether the kernel accepts requests: false while the task runs, listens or dies. */
  acceptsRequests(): boolean {
    try {
      this.owner.system.ptraceGetEventMessage(this.tid)
      return true
    } catch (error) {
      if (isErrno(error, 'ESRCH')) return false
      throw error
    }
  }

  /** Ignores ESRCH: a tracee killed at its stop refuses requests, and its exit is about to be reported. */
  tolerateDeath(request: () => void): void {
    try {
      request()
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error
      this.stop = null
      this.parked = null
    }
  }

  mustBeTraced(syscall: string): void {
    if (this.owner.hasEnded || (this.hasEnded && this.endReason !== 'detach')) throw this.gone(syscall, 'ESRCH')
    if (this.owner.tracing === null || this.interceptor !== null || this.hasEnded) {
      throw this.detached(syscall)
    }
  }

  /** The stop that the caller has seen. Resuming from a newer, unseen stop would lose that stop's signal. */
  mustBeStopped(): Stop {
    this.mustBeTraced('ptrace')
    if (this.stop === null) {
      throw new SystemError({
        errno: 'ESRCH',
        syscall: 'ptrace',
        pid: this.tid,
        hint: `the ${this.#noun} is not stopped`,
      })
    }
    return this.stop
  }

  detached(syscall: string): SystemError {
    return new SystemError({ errno: 'ESRCH', syscall, pid: this.tid, hint: 'the child was detached' })
  }

  gone(syscall: string, errno: string): SystemError {
    return new SystemError({ errno, syscall, pid: this.tid, hint: `the ${this.#noun} has ended` })
  }

  get #noun(): string {
    return this.isMain ? 'child' : 'thread'
  }
}
