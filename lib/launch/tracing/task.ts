/** One traced thread, as the library sees it: how it stops, goes on and ends. */

import { callListener } from '../../system/call-listener.ts'
import type { SystemError } from '../../system/errors.ts'
import { type ExitStatus, isExit, type StopStatus } from '../../system/wait-status.ts'
import type { ChildExit } from '../child-life.ts'
import type { Change } from '../watched-child.ts'
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
  /** Resumes a task as it went before. */
  again(task: Task): void
  /** Resumes a task from its stop. */
  resume(task: Task, going: Going, stop: Stop, signal: number): void
  /** A task goes on from a stop. */
  resumed(task: Task): void
  /** Whether a step over a breakpoint keeps the threads from running. */
  readonly isGated: boolean
  /** Set by detach() and handOff(): no thread is to run any more. */
  readonly isLeaving: boolean
}

/** How the kernel tells the end of a thread that an exec has replaced. */
export const endOfReplaced: ExitStatus = { kind: 'exited', code: 0, signal: null }

export class Task extends TaskState<TaskOwner> {
  /** Receives a change from the watch. */
  changed({ status, rusage, message }: Change): void {
    if (isExit(status)) {
      this.owner.ended(this, { ...status, rusage } as ChildExit)
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
    this.owner.resumed(this)
  }

  /** Resumes the task as it went before, from a stop that is not shown. */
  again(): void {
    this.tolerateDeath(() => {
      if (this.isListening) this.owner.system.ptraceListen(this.tid)
      else this.owner.again(this)
    })
  }

  /** PTRACE_LISTEN. A thread that listens is not stopped: it waits until it need not be. */
  listen(): void {
    const { isLeaving, isGated, system } = this.owner
    // The kernel refuses any other stop.
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
    if (stop.signal === 'SIGSTOP') this.isInterrupted = false
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
