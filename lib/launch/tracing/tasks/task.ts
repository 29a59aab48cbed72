/** One traced thread, as the library sees it: how it stops, is resumed, and ends. */

import { callListener } from '../../../system/call-listener.ts'
import type { SystemError } from '../../../system/errors.ts'
import { type ExitStatus, isExit, type StopStatus } from '../../../system/wait-status.ts'
import { withUsage } from '../../children/child-life.ts'
import type { Change, ChildListener } from '../../children/watched-child.ts'
import { Interruption } from './interruption.ts'
import type { Going } from './resumption.ts'
import { type EndReason, type Stop, type TaskProcess, TaskState } from './task-state.ts'

/** What a task needs of its process. */
export interface TaskOwner extends TaskProcess {
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
  /** Resumes a task by the request that it ran under. */
  again(task: Task): void
  /** Resumes a task from its stop. */
  resume(task: Task, going: Going, stop: Stop, signal: number): void
  /** A task was resumed from a stop. */
  resumed(task: Task): void
  /** Whether a step over a breakpoint keeps the threads from running. */
  readonly isGated: boolean
  /** Set by detach() and handOff(): no thread may run any more. */
  readonly isLeaving: boolean
}

/** The kernel's status for a thread that an exec has replaced. */
export const endOfReplaced: ExitStatus = { kind: 'exited', code: 0, signal: null }

export class Task extends TaskState<TaskOwner> implements ChildListener {
  /** Receives a change from the watch. */
  changed({ status, rusage, message }: Change): void {
    if (isExit(status)) {
      this.owner.ended(this, rusage === undefined ? status : withUsage(status, rusage))
      return
    }
    this.message = message
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

  /** The kernel no longer knows the thread. */
  lost(): void {
    this.owner.lost(this)
  }

  /** Notes what the thread's end is part of, while the kernel still knows. */
  ending(): void {
    this.isEndingWithOthers = this.face !== undefined && this.owner.isEnding
  }

  /** Ends the task: for good, or until an exec of another thread takes over its number. */
  finish(reason: EndReason, status: ExitStatus | null): void {
    if (this.hasEnded) return
    this.endReason = reason
    this.exit = status
    this.stop = null
    this.parked = null
    this.heldBack = null
    this.interceptor?.(status ?? endOfReplaced)
    this.interceptor = null
    if (reason === 'detach') this.next.fail(this.detached('waitpid'))
    else this.next.settle(status ?? endOfReplaced)
    callListener(() => this.face?.ended(reason, status))
  }

  /** The thread that has exec'ed goes on under the main thread's number, as this task. */
  replacedBy(former: Task | undefined): void {
    this.endReason = null
    this.exit = null
    this.stop = null
    this.parked = null
    this.heldBack = null
    this.isListening = false
    this.wasGroupStopped = false
    this.isInVfork = false
    this.returnsTo = null
    this.stepsOver = null
    this.isTrapLate = false
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

  /** Has the stop of a parked task shown like any other. */
  showParked(): void {
    if (this.parked !== null) this.parked = { ...this.parked, isShown: true }
  }

  /** Changes what a parked task waits for: the user, or a step over a breakpoint. */
  parkFor(by: 'user' | 'gate'): void {
    if (this.parked !== null) this.park(by, this.parked.resume)
    if (by === 'gate') this.stop = null
  }

  /** Resumes a parked task. */
  unpark(): void {
    const { parked } = this
    if (parked === null) return
    this.parked = null
    if (parked.by === 'user') this.stop = null
    this.tolerateDeath(parked.resume)
    this.owner.resumed(this)
  }

  /** Resumes the task from a stop that is not shown, by the request that it ran under. */
  again(): void {
    this.tolerateDeath(() => {
      if (this.isListening) this.owner.system.ptraceListen(this.tid)
      else this.owner.again(this)
    })
  }

  /** PTRACE_LISTEN. A listening thread accepts no requests: while its process must stay stopped, it is parked. */
  listen(): void {
    const { isLeaving, isGated, system } = this.owner
    // At any other stop, PTRACE_LISTEN below fails.
    if ((isLeaving || isGated) && this.at?.event === 'stop' && !this.hasEnded) {
      this.park(isLeaving ? 'user' : 'gate', () => this.listen())
      this.stop = null
      return
    }
    system.ptraceListen(this.tid)
    this.stop = null
    this.parked = null
    this.isListening = true
    this.owner.resumed(this)
  }

  /** Clears the stop after a resumption. */
  left(stop: Stop): void {
    if (stop.signal === 'SIGSTOP') this.isSignalDropped = false
    this.stop = null
    this.parked = null
    this.isListening = false
    this.wasGroupStopped = false
  }

  /** Takes pending changes. A request made directly on System may have resumed the tracee: that stop is cleared. */
  look(): void {
    if (this.stop !== null && this.parked === null && !this.acceptsRequests()) this.stop = null
    if (!this.watched.ended) this.watched.poll()
  }
}
