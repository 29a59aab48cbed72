/** A thread of a traced process: it stays at every stop until a request resumes it. */

import { EventEmitter } from 'node:events'
import { checkDeliveredSignal } from '../../system/arguments.ts'
import { siginfoOf } from '../../system/changed-siginfo.ts'
import { isErrno, SystemError } from '../../system/errors.ts'
import { here, requireHere } from '../../system/made-here.ts'
import type { RegisterChanges, Registers } from '../../system/registers.ts'
import type { Signal } from '../../system/signals.ts'
import type { SignalInfo, SyscallInfo } from '../../system/system.ts'
import type { ExitStatus, StopStatus, WaitStatus } from '../../system/wait-status.ts'
import type { WaitOptions } from '../base/deadline.ts'
import { shownStop } from '../tracing/stops/describe-stop.ts'
import { stops, wait, waitSync } from '../tracing/stops/task-waits.ts'
import type { Going } from '../tracing/tasks/resumption.ts'
import type { Task } from '../tracing/tasks/task.ts'
import { endOfReplaced } from '../tracing/tasks/task.ts'
import type { EndReason, Stop, ThreadFace } from '../tracing/tasks/task-state.ts'
import { contextOf } from './child.ts'
import { showBriefly, stateOf } from './show-briefly.ts'
import type { Tracee } from './tracee.ts'

/** The events of a thread. */
export interface TracedThreadEvents {
  /** It has stopped. */
  stop: [status: StopStatus<TracedThread | Tracee>]
  /**
   * It is no longer traced: it has ended ('exit'), an exec of another thread has replaced it ('exec'), or its process
   * was detached ('detach'). `status` is null if there is none.
   */
  end: [reason: EndReason, status: ExitStatus | null]
}

/** Makes a TracedThread, for its process. */
export let newTracedThread: (task: Task, process: Tracee) => TracedThread

/**
 * A thread of a traced process.
 *
 * It stops for every signal, even an ignored one, and stays at each stop until a request resumes it. `cont()` delivers
 * no signal. `cont(thread.stop.signal)` delivers the signal of the stop.
 */
export class TracedThread extends EventEmitter<TracedThreadEvents> {
  /** Its thread ID. */
  readonly tid: number
  /** The process of the thread. */
  readonly process: Tracee
  readonly #task: Task

  static {
    newTracedThread = (task, process) => new TracedThread(task, process, here)
  }

  /** Threads come from their process. */
  private constructor(task: Task, process: Tracee, key: unknown) {
    requireHere(key, 'TracedThread', 'its process')
    super()
    this.#task = task
    this.tid = task.tid
    this.process = process
  }

  /** The current stop; null while it runs, and after its end. */
  get stop(): StopStatus<TracedThread | Tracee> | null {
    return shownStop(this.#task) as StopStatus<TracedThread | Tracee> | null
  }

  /** Why it is no longer traced; null while it is traced. */
  get end(): EndReason | null {
    return this.#task.endReason
  }

  /**
   * Resumes the thread from any kind of stop, `PTRACE_CONT`, delivering `signal` if one is given. The signal of a group
   * stop has had its effect, and is not delivered again.
   *
   * @throws SystemError ESRCH when the thread is not stopped.
   */
  cont(signal?: Signal): void {
    this.#go('cont', signal)
  }

  /**
   * Runs one instruction, `PTRACE_SINGLESTEP`, then stops with SIGTRAP.
   *
   * @throws SystemError ESRCH when the thread is not stopped.
   */
  step(signal?: Signal): void {
    this.#go('step', signal)
  }

  /**
   * Runs to the next entry or exit of a system call, `PTRACE_SYSCALL`. If an exec's entry was not shown, its exit is
   * not shown either.
   *
   * @throws SystemError ESRCH when the thread is not stopped.
   */
  syscall(signal?: Signal): void {
    this.#go('syscall', signal)
  }

  /**
   * Keeps the thread in its group stop, `PTRACE_LISTEN`, until SIGCONT, another stop signal, an interrupt() or its end.
   *
   * @throws SystemError ESRCH when the thread is not stopped; EIO unless the stop has event 'stop', which only a seized
   * thread has.
   */
  listen(): void {
    if (this.#task.isBeingLetGo) return
    this.#task.mustBeStopped()
    this.#task.listen()
  }

  /**
   * Stops the thread if it runs. A seized one gets `PTRACE_INTERRUPT` and stops with event 'stop'. Another one gets a
   * SIGSTOP, which `cont()` without a signal discards.
   *
   * @throws SystemError ESRCH when the thread is no longer traced.
   */
  interrupt(): void {
    const task = this.#task
    task.mustBeTraced('PTRACE_INTERRUPT')
    if (this.#isStoppedMeanwhile()) return
    try {
      task.interruption.send('user', task.owner.tracing!)
    } catch (error) {
      if (isErrno(error, 'ESRCH')) throw this.#untraced('PTRACE_INTERRUPT', error)
      throw error
    }
  }

  /**
   * Sends a signal to this very thread, `tgkill(2)`. SIGKILL ends the whole process.
   *
   * @throws SystemError ESRCH when the thread has ended, or its process was detached; EINVAL for a number that is not a
   * signal.
   */
  kill(signal: Signal): void {
    const task = this.#task
    if (task.hasEnded) throw task.endReason === 'detach' ? task.detached('tgkill') : task.gone('tgkill', 'ESRCH')
    this.#task.owner.system.tgkill(this.#task.owner.pid, this.tid, signal)
  }

  /**
   * Resolves with the current stop, or else with the next stop, or with the end. A wait that times out or is aborted
   * loses nothing.
   *
   * @throws (by rejection) TimedOutError after `timeoutMs`, the signal's reason when aborted.
   */
  wait(options?: WaitOptions): Promise<WaitStatus<TracedThread | Tracee>> {
    return wait(this.#task, () => this.#ended(), options) as Promise<WaitStatus<TracedThread | Tracee>>
  }

  /**
   * Like {@link wait}, but blocks JavaScript. The library meanwhile takes the changes of every other traced thread.
   *
   * @throws SystemError ECHILD if the thread has ended and its status is not known, ESRCH if it was detached. EDEADLK
   * while stopAll() keeps it stopped, or its process is being detached: only this thread of Node could end that.
   */
  waitSync(): WaitStatus<TracedThread | Tracee> {
    return waitSync(this.#task) as WaitStatus<TracedThread | Tracee>
  }

  /**
   * The thread's stops, from the current one until its end. The loop's body resumes the thread. Each stop is yielded
   * once, and only while the thread is at it: a stop that the body itself has waited for and resumed is not yielded.
   *
   * @example for await (const stop of thread.stops()) thread.cont(stop.event ? undefined : stop.signal)
   */
  stops(): AsyncGenerator<StopStatus<TracedThread | Tracee>, void, undefined> {
    return stops(this.#task, () => this.#ended()) as AsyncGenerator<StopStatus<TracedThread | Tracee>, void, undefined>
  }

  /** The general-purpose registers, `PTRACE_GETREGSET`. @throws SystemError ESRCH when the thread is not stopped. */
  registers(): Registers {
    return this.#stopped('PTRACE_GETREGSET').ptraceGetRegisters(this.tid)
  }

  /**
   * Sets registers, `PTRACE_SETREGSET`; registers left out keep their values. `pc` and `sp` alias the architecture's
   * own names.
   *
   * @throws SystemError ESRCH when the thread is not stopped; TypeError ERR_INVALID_ARG_VALUE for a name that is no
   * register of this thread.
   */
  setRegisters(registers: RegisterChanges): void {
    this.#stopped('PTRACE_SETREGSET').ptraceSetRegisters(this.tid, registers)
  }

  /**
   * A register set by its number (NT_PRFPREG, NT_X86_XSTATE, NT_ARM_HW_WATCH …), `PTRACE_GETREGSET`: its bytes, as many
   * as the kernel has.
   *
   * @throws SystemError ESRCH when the thread is not stopped, EINVAL for a set that the machine does not have.
   */
  registerSet(type: number): Uint8Array {
    return this.#stopped('PTRACE_GETREGSET').ptraceGetRegisterSet(this.tid, type)
  }

  /**
   * Sets a register set by its number, `PTRACE_SETREGSET`, from bytes as registerSet() returns them.
   *
   * @throws SystemError ESRCH when the thread is not stopped, EINVAL for a set that the machine does not have, or for
   * bytes that the kernel refuses.
   */
  setRegisterSet(type: number, bytes: Uint8Array): void {
    this.#stopped('PTRACE_SETREGSET').ptraceSetRegisterSet(this.tid, type, bytes)
  }

  /**
   * What the signal of the stop carries, `PTRACE_GETSIGINFO`.
   *
   * @throws SystemError ESRCH when the thread is not stopped, EINVAL at a group stop.
   */
  signalInfo(): SignalInfo {
    return this.#stopped('PTRACE_GETSIGINFO').ptraceGetSigInfo(this.tid)
  }

  /**
   * Changes what the signal of the stop carries, `PTRACE_SETSIGINFO`: 128 bytes of siginfo_t, or what signalInfo()
   * gave with some of it changed.
   *
   * @example thread.setSignalInfo({ ...thread.signalInfo(), value: 5n })
   *
   * @throws SystemError ESRCH when the thread is not stopped, EINVAL at a group stop.
   */
  setSignalInfo(info: SignalInfo | Uint8Array): void {
    const bytes = siginfoOf(info)
    this.#stopped('PTRACE_SETSIGINFO').ptraceSetSigInfo(this.tid, bytes)
  }

  /**
   * The system call that the thread has stopped at, `PTRACE_GET_SYSCALL_INFO`.
   *
   * @throws SystemError ESRCH when the thread is not stopped.
   */
  syscallInfo(): SyscallInfo {
    return this.#stopped('PTRACE_GET_SYSCALL_INFO').ptraceGetSyscallInfo(this.tid)
  }

  #stopped(syscall: string) {
    this.#task.mustBeTraced(syscall)
    return this.#task.owner.system
  }

  #go(going: Going, signal: Signal | undefined): void {
    const number = checkDeliveredSignal(signal)
    // A user's loop may still hold a stop that it was given before the process began to detach.
    if (this.#task.isBeingLetGo) return
    const stop: Stop = this.#task.mustBeStopped()
    this.#task.owner.resume(this.#task, going, stop, number)
  }

  /**
   * Takes a stop of a seized thread that is not seen yet. True if that is the stop of an earlier interrupt. After any
   * other stop, another interrupt stops the thread once more.
   */
  #isStoppedMeanwhile(): boolean {
    const { interruption, owner, stop, watched } = this.#task
    if (stop !== null || owner.tracing !== 'seize') return false
    const wasDue = interruption.isUsersDue
    watched.check()
    this.#task.mustBeTraced('PTRACE_INTERRUPT')
    return wasDue && !interruption.isUsersDue && this.#task.stop !== null
  }

  async #ended(): Promise<WaitStatus> {
    const { exit, endReason, isMain } = this.#task
    if (isMain) return this.process.exited
    if (endReason === 'detach') throw this.#task.detached('waitpid')
    return exit ?? endOfReplaced
  }

  /** The error for a thread that the kernel refuses, although no end has been reported. */
  #untraced(syscall: string, error: SystemError): SystemError {
    const task = this.#task
    task.watched.poll()
    if (task.watched.ended) return task.gone(syscall, 'ESRCH')
    // Killed at its stop; or traced by another thread of this process, which the message already says.
    if (task.stop !== null || error.message.includes('another thread')) return error
    const hint = 'the child is no longer traced: other code has detached it'
    return new SystemError({ errno: 'ESRCH', syscall, pid: this.tid, hint })
  }
}

/** Makes the TracedThread of a thread other than the main one, and keeps it in `threads` until its end. */
export function faceOf(task: Task, process: Tracee, threads: Map<number, TracedThread>): ThreadFace {
  return new Face(newTracedThread(task, process), threads)
}

class Face implements ThreadFace {
  readonly object: TracedThread
  readonly #threads: Map<number, TracedThread>

  constructor(thread: TracedThread, threads: Map<number, TracedThread>) {
    this.object = thread
    this.#threads = threads
    threads.set(thread.tid, thread)
  }

  stopped(stop: Stop): void {
    emitStop(this.object, stop as StopStatus<TracedThread | Tracee>)
  }

  ended(reason: EndReason, status: ExitStatus | null): void {
    this.#threads.delete(this.object.tid)
    emitEnd(this.object, reason, status)
  }
}

/** Emits a thread's stop. */
export function emitStop(thread: TracedThread, stop: StopStatus<TracedThread | Tracee>): void {
  contextOf(thread.process).emit(thread, 'stop', () => void thread.emit('stop', stop))
}

/** Emits a thread's end. */
export function emitEnd(thread: TracedThread, reason: EndReason, status: ExitStatus | null): void {
  contextOf(thread.process).emit(thread, 'end', () => void thread.emit('end', reason, status))
}

showBriefly(TracedThread.prototype, ({ tid, process: { pid }, stop, end }) => {
  return { tid, pid, state: end === null ? stateOf(stop) : `ended (${end})` }
})
