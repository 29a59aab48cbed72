/** One traced thread, as the library sees it: its stop, what was sent to it, and how it goes on. */

import { callListener } from '../../system/call-listener.ts'
import { isErrno, SystemError } from '../../system/errors.ts'
import type { System, WaitResult } from '../../system/system.ts'
import { type ExitStatus, isExit, type StopStatus, type WaitStatus } from '../../system/wait-status.ts'
import type { ChildExit } from '../child-life.ts'
import type { WatchedChild } from '../watched-child.ts'
import { Interruption } from './interruption.ts'
import { NextChange } from './next-change.ts'
import type { Tracing } from './options.ts'
import { type Going, Resumption } from './resumption.ts'

/** A stop as it is shown: `child` is the object of a thread or a process. */
export type Stop = StopStatus<object>

/** Why a thread is no longer traced: its own end, an exec of another thread, or a detach. */
export type EndReason = 'exit' | 'exec' | 'detach'

/** The object of a thread that the user has. */
export interface ThreadFace {
  /** The object itself. */
  readonly object: object
  stopped(stop: Stop): void
  ended(reason: EndReason, status: ExitStatus | null): void
}

/** What a task needs of its process. */
export interface TaskOwner {
  readonly system: System
  readonly pid: number
  readonly tracing: Tracing | null
  readonly hasEnded: boolean
  stopped(task: Task, status: StopStatus): void
  ended(task: Task, status: ExitStatus): void
  lost(task: Task, error?: SystemError): void
  /** Whether an exec or the end of the whole process is under way. */
  readonly isEnding: boolean
  /** SIGCONT has ended a group stop. */
  continued(): void
  /** A stop is shown now. */
  shown(task: Task, stop: Stop): void
  /** Sets the pc back to the address of the breakpoint that a stop is for. */
  correctPc(task: Task, status: StopStatus): void
  /** Resumes a task as it went before. */
  again(task: Task): void
  /** Resumes a task from its stop. */
  resume(task: Task, going: Going, stop: Stop, signal: number): void
}

/** How a parked task goes on, and for whom it waits. */
interface Parked {
  /** Whether the stop is given as any other. */
  readonly isShown: boolean
  readonly by: 'user' | 'gate'
  readonly resume: () => void
}

/** How the kernel tells the end of a thread that an exec has replaced. */
export const endOfReplaced: ExitStatus = { kind: 'exited', code: 0, signal: null }

export class Task {
  readonly owner: TaskOwner
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
  /** Its end is part of an exec, or of the end of its process. */
  isEndingWithOthers = false
  /** The stop behind a birth that a signal has announced: given next. */
  behind: StopStatus | null = null
  /** Receives each change while the task is being let go; true where nothing else is to be done about it. */
  interceptor: ((status: WaitStatus) => boolean) | null = null
  /** It was killed before it could be let go: its end is still to be waited for. */
  isDying = false
  /** Not yet at its first stop. */
  isUnborn = false
  /** Its SIGSTOP of birth may still come (traceme). */
  isBirthStopDue = false
  isListening = false
  /** It has been in a group stop since it last ran. */
  wasGroupStopped = false
  /** It waits in the kernel for its vfork child. */
  isInVfork = false
  /** The stop is that of the user's own interrupt (traceme). */
  isInterrupted = false
  /** Its debug registers are to be written anew. */
  watchesChanged = false
  /** The PTRACE_O_* bits in force. */
  options: number
  /** Those that were in force when it stopped: what it has started has inherited them. */
  optionsAtStop: number
  /** The breakpoint that it goes on from, and has not gone over yet. */
  passes: bigint | null = null
  /** Where it has been at a breakpoint and went into a signal handler, which will return there. */
  returnsTo: { readonly address: bigint; readonly sp: bigint } | null = null
  endReason: EndReason | null = null
  exit: ExitStatus | null = null
  readonly #watched: () => WatchedChild

  constructor(owner: TaskOwner, tid: number, options: number, watched: () => WatchedChild) {
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

  /** Whether a SIGSTOP of the library's, or of its birth, may be pending (traceme). */
  get isSigstopDue(): boolean {
    return this.owner.tracing === 'traceme' && (this.isBirthStopDue || this.interruption.isOwnDue)
  }

  /** Whether the kernel has it at a stop, shown or not. */
  get isStopped(): boolean {
    return this.stop !== null || this.parked !== null
  }

  /** Receives a change from the watch. */
  changed({ status, rusage }: WaitResult): void {
    if (isExit(status)) {
      this.owner.ended(this, { ...status, rusage } as ChildExit)
      return
    }
    if (status.kind === 'stopped') this.at = status
    if (this.interceptor?.(status) === true) return
    if (status.kind === 'stopped') this.owner.stopped(this, status)
    else this.owner.continued()
  }

  /** Shows a stop. A listener that throws must not hide it from a wait: its error is uncaught instead. */
  show(stop: Stop): void {
    this.stop = stop
    callListener(() => this.face?.stopped(stop))
    this.next.settle(stop)
    this.owner.shown(this, stop)
  }

  /** The process was lost to another waiter. */
  fail(error: SystemError): void {
    this.interceptor = null
    this.next.fail(error)
  }

  /** Looks, before the kernel forgets it, what its end is part of. */
  noteEnding(): void {
    this.isEndingWithOthers = this.face !== undefined && this.owner.isEnding
  }

  /** Ends the task for good, or for as long as no exec of another thread takes its number. */
  finish(reason: EndReason, status: ExitStatus | null): void {
    if (this.hasEnded) return
    this.endReason = reason
    this.exit = status
    this.stop = null
    this.parked = null
    this.behind = null
    this.interceptor?.(status ?? { kind: 'exited', code: 0, signal: null })
    this.interceptor = null
    if (reason === 'detach') this.next.fail(this.detached('waitpid'))
    else this.next.settle(status ?? endOfReplaced)
    callListener(() => this.face?.ended(reason, status))
  }

  /** The main thread's number goes on with the thread that has exec'ed. */
  replacedBy(former: Task | undefined): void {
    this.endReason = null
    this.exit = null
    this.stop = null
    this.parked = null
    this.behind = null
    this.isListening = false
    this.wasGroupStopped = false
    this.isInVfork = false
    this.returnsTo = null
    this.passes = null
    if (former === this) return
    const { system, pid } = this.owner
    this.interruption.takeOver(former?.interruption ?? new Interruption(system, pid, this.tid))
    if (former !== undefined) this.resumption.takeOver(former.resumption)
  }

  /** Keeps the task from running. */
  park(by: 'user' | 'gate', resume: () => void): void {
    this.parked = { by, resume, isShown: false }
    if (by === 'user') this.stop = { kind: 'stopped', signal: 'SIGTRAP', event: 'stop', reason: 'interrupt' }
  }

  /** Has the stop of a parked task given as any other. */
  showParked(): void {
    if (this.parked !== null) this.parked = { ...this.parked, isShown: true }
  }

  /** Whether its stop is one that is not shown. */
  get isStopHidden(): boolean {
    return this.parked !== null && !this.parked.isShown
  }

  /** Changes for whom a parked task waits. */
  parkFor(by: 'user' | 'gate'): void {
    if (this.parked !== null) this.park(by, this.parked.resume)
    if (by === 'gate') this.stop = null
  }

  /** Lets a parked task go on. */
  unpark(): void {
    const { parked } = this
    if (parked === null) return
    this.parked = null
    if (parked.by === 'user') this.stop = null
    this.tolerateDeath(parked.resume)
  }

  /** Resumes the task as it went before, from a stop that is not shown. */
  again(): void {
    this.tolerateDeath(() => {
      if (this.isListening) this.owner.system.ptraceListen(this.tid)
      else this.owner.again(this)
    })
  }

  /** PTRACE_LISTEN. */
  listen(): void {
    this.owner.system.ptraceListen(this.tid)
    this.stop = null
    this.parked = null
    this.isListening = true
  }

  /** Clears the stop after a resumption. */
  left(stop: Stop): void {
    if (stop.signal === 'SIGSTOP') this.isInterrupted = false
    this.stop = null
    this.parked = null
    this.isListening = false
    this.wasGroupStopped = false
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

  /** Takes pending changes. A request made directly on System may have resumed the tracee: that stop is cleared. */
  look(): void {
    if (this.stop !== null && this.parked === null && !this.acceptsRequests()) this.stop = null
    if (!this.watched.ended) this.watched.poll()
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

  mustBeTraced(syscall: string): void {
    if (this.owner.hasEnded || (this.hasEnded && this.endReason !== 'detach')) throw this.gone(syscall, 'ESRCH')
    if (this.owner.tracing === null || this.interceptor !== null || this.hasEnded) {
      throw this.detached(syscall)
    }
  }

  /** The stop that the caller has seen. Resuming from a newer, unseen stop would lose that stop's signal. */
  mustBeStopped(syscall: string): Stop {
    this.mustBeTraced(syscall)
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
