/** One child, or one traced thread, that is waited for. */

import { callListener } from '../../system/call-listener.ts'
import { constants } from '../../system/constants.ts'
import { SystemError } from '../../system/errors.ts'
import { privateCallsOf } from '../../system/private-calls.ts'
import type { ResourceUsage, System } from '../../system/system.ts'
import { decodeWaitStatus, isExit, type WaitStatus } from '../../system/wait-status.ts'
import { type ChildWatch, watchOf } from './child-watch.ts'
import type { WatchListener } from './tracee-search.ts'

const { P_PID, WEXITED, WNOHANG, WSTOPPED, __WALL } = constants

/** A change of a child's state. */
export interface Change {
  readonly status: WaitStatus
  /** Always present at the end of a process; not at that of a thread, and at a stop not always, since it costs time. */
  readonly rusage?: ResourceUsage
  /** PTRACE_GETEVENTMSG of a stop, if it was fetched along with the stop. */
  readonly message?: number | undefined
}

/** Receives a child's changes. */
export interface ChildListener extends WatchListener {
  /** A change of state, in order; the last is an exit. */
  changed(change: Change): void
  /** waitpid failed for good: another waiter has reaped the child. */
  lost(error: SystemError): void
}

/** A process, or one of its further threads. The event loop stays alive for processes alone. */
export type TaskKind = 'process' | 'thread'

/** Takes the next change of a tracee. With WNOHANG null if there is none yet; otherwise blocks until there is one. */
export function takeChange(system: System, tid: number, how: number, kind: TaskKind = 'process'): Change | null {
  const takeStop = privateCallsOf(system)?.takeStop
  const stop = takeStop?.(tid, how === 0)
  if (stop === undefined) {
    if (kind === 'process' || takeStop === undefined) return system.waitpid(tid, __WALL | how)
    // Not waitpid: it reports the usage, for which the kernel goes through all threads at the end of each.
    return system.waitid(P_PID, tid, WEXITED | WSTOPPED | __WALL | how)
  }
  return stop === null ? null : { status: decodeWaitStatus(stop.raw), message: stop.message }
}

/** A task that is waited for, from its start to its end. */
export class WatchedChild {
  readonly system: System
  readonly pid: number
  readonly listener: ChildListener
  readonly #watch: ChildWatch
  readonly #kind: TaskKind
  /**
   * Of a child in launch(): its own SIGSTOP is answered with these PTRACE_O_* options, and its listener does not hear
   * of that stop. 0 for any other child.
   */
  ownStopOptions = 0
  #options: number = __WALL
  #ended = false
  #keepsAlive: boolean
  #isFoundBySearch = false
  #isHeld = false
  #missedNews = false

  constructor(system: System, pid: number, listener: ChildListener, kind: TaskKind = 'process') {
    this.system = system
    this.pid = pid
    this.listener = listener
    this.#kind = kind
    this.#keepsAlive = kind === 'process'
    this.#watch = watchOf(system)
    this.#isFoundBySearch = kind === 'thread'
    this.#watch.add(this)
  }

  /** Whether the child has ended and is reaped, or is forgotten. Its pid may belong to another process by now. */
  get ended(): boolean {
    return this.#ended
  }

  /** Whether the child keeps the event loop alive. */
  get keepsAlive(): boolean {
    return this.#keepsAlive
  }

  set keepsAlive(value: boolean) {
    if (value === this.#keepsAlive) return
    this.#keepsAlive = value
    if (!this.#ended) this.#watch.count(value ? 1 : -1)
  }

  /** Whether it is a tracee of this thread, whose changes a search among all tracees finds. */
  get isFoundBySearch(): boolean {
    return this.#isFoundBySearch
  }

  set isFoundBySearch(value: boolean) {
    if (this.#ended || value === this.#isFoundBySearch) return
    this.#isFoundBySearch = value
    this.#watch.regroup(this)
  }

  /** Waits for further events, besides exits and ptrace stops: WUNTRACED, WCONTINUED. */
  alsoWaitFor(options: number): void {
    this.#options = __WALL | options
  }

  /**
   * Suspends waitpid until release(). A child that ends meanwhile stays a zombie, of which the kernel still knows more
   * than its status.
   */
  hold(): void {
    this.#isHeld = true
  }

  /** Ends a hold and takes the changes that came during it. */
  release(): void {
    this.#isHeld = false
    if (this.#missedNews) this.poll()
  }

  /** Ends the watch of a task that other code reaps, or that is no longer there. */
  forget(): void {
    if (!this.#ended) this.#end()
  }

  /** Takes every pending change; whether there was one. */
  poll(): boolean {
    let took = false
    this.#missedNews = this.#isHeld
    while (!this.#ended && !this.#isHeld) {
      const found = this.#wait(WNOHANG)
      took ||= found !== 'nothing'
      if (found !== 'more') break
    }
    return took
  }

  /** As poll(), but a listener that throws does not stop the caller: its error is uncaught, as that of any event. */
  check(): boolean {
    let took = true
    callListener(() => {
      took = this.poll()
    })
    return took
  }

  /** The error of a tracee whose stop another waiter of this process has taken; undefined if there is no such stop. */
  lostStop(): SystemError | undefined {
    const isInTraceStop = () => privateCallsOf(this.system)?.isInTraceStop(this.pid) === true
    // It may have stopped after the last poll, and been killed after that stop.
    if (!isInTraceStop() || this.poll() || !isInTraceStop()) return undefined
    const hint = 'another waiter of this process has taken its stop'
    return new SystemError({ errno: 'ECHILD', syscall: 'waitpid', pid: this.pid, hint })
  }

  /** Blocks until the next change: of this child, or, if it is a tracee, of any tracee of this thread. */
  block(): void {
    if (this.#ended) return
    // The only tracee needs no search: waitpid alone finds and takes its change.
    if (!this.#isFoundBySearch || this.#watch.isOnlyTracee(this)) this.#wait(0)
    else if (!this.#watch.block()) this.poll()
  }

  #wait(how: number): 'nothing' | 'last' | 'more' {
    if (this.ownStopOptions !== 0 && this.#takeLaunchStop()) return 'last'
    let change: Change | null
    try {
      change =
        this.#isFoundBySearch && this.#options === __WALL
          ? takeChange(this.system, this.pid, how, this.#kind)
          : this.system.waitpid(this.pid, this.#options | how)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      if (error.code === 'EINTR') return 'more'
      this.#end()
      this.listener.lost(error)
      return 'last'
    }
    if (change === null) return 'nothing'
    this.take(change)
    // A stopped child changes only when resumed or killed, and each change raises another SIGCHLD.
    return change.status.kind === 'stopped' ? 'last' : 'more'
  }

  /** Whether there was a stop. */
  #takeLaunchStop(): boolean {
    const stop = privateCallsOf(this.system)?.takeLaunchStop?.(this.pid, this.ownStopOptions) ?? 0
    if (stop !== 0 && stop !== 'answered') this.take({ status: decodeWaitStatus(stop) })
    return stop !== 0
  }

  /** Receives a change that a wait has given. */
  take(change: Change): void {
    if (isExit(change.status)) this.#end()
    this.listener.changed(change)
  }

  #end(): void {
    this.#ended = true
    this.#watch.remove(this)
  }
}
