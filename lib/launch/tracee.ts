/** A traced child: it stays at every stop until a request resumes it. */

import { checkAddress, checkBytes, checkDeliveredSignal, checkInt, checkOptions } from '../system/arguments.ts'
import { constants } from '../system/constants.ts'
import { isErrno, SystemError } from '../system/errors.ts'
import type { RegisterChanges, Registers } from '../system/registers.ts'
import type { Signal } from '../system/signals.ts'
import type { System, WaitResult } from '../system/system.ts'
import { type ExitStatus, isExit, type StopStatus, type WaitStatus } from '../system/wait-status.ts'
import { Child, type ChildExit } from './child.ts'
import type { ChildLife } from './child-life.ts'
import type { WatchedChild } from './child-watch.ts'
import { checkWaitOptions, Deadline, type WaitOptions } from './deadline.ts'
import { leaveStopped, resendStopMs } from './leave-stopped.ts'
import { NextChange } from './next-change.ts'
import { isGroupStop, ownSignal, passageFrom } from './pass-on.ts'
import { type Going, Resumption } from './resumption.ts'

const { WCONTINUED, WUNTRACED } = constants

/** Polling interval for a kept group stop under TRACEME: the kernel reports no SIGCONT to a tracer. */
const lookForContinuationMs = 25

/** How a tracee is traced. PTRACE_LISTEN and PTRACE_INTERRUPT need 'seize'. */
export type Tracing = 'traceme' | 'seize'

/** Options of detach(). */
export interface DetachOptions {
  /** Delivered in place of the signal that the tracee stopped for; 0 delivers neither. */
  readonly signal?: Signal | undefined
}

/** Makes a Tracee, for launch(). */
export let newTracee: (life: ChildLife, tracing: Tracing) => Tracee

/**
 * A traced child process.
 *
 * The tracee stops for every signal, even an ignored one (a shell stops for each SIGCHLD), and at every exec. It stays
 * at each stop until a request resumes it. `cont()` delivers no signal. `cont(tracee.stop.signal)` delivers the signal
 * of the stop. The tracer is the thread that launched the child.
 */
export class Tracee extends Child {
  readonly #system: System
  readonly #watched: WatchedChild
  readonly #resumption: Resumption
  #tracing: Tracing | null
  #stop: StopStatus | null = null
  #exit: ExitStatus | null = null
  // True from the SIGSTOP of an interrupt() until the tracee is resumed from its stop.
  #interrupted = false
  // The group stop that run() keeps until SIGCONT, under TRACEME.
  #kept: StopStatus | null = null
  // Settles at the next visible stop, or at the end.
  readonly #next: NextChange
  // Set during handOff(): settles at the next change, visible or not.
  #leaving: NextChange | undefined

  static {
    newTracee = (life, tracing) => new Tracee(life, tracing)
  }

  /** Tracees come from launch(). */
  private constructor(life: ChildLife, tracing: Tracing) {
    super(life)
    this.#system = life.system
    this.#watched = life.watched
    this.#next = new NextChange(life.system, life.watched)
    this.#tracing = tracing
    this.#resumption = new Resumption(life.system, life.pid)
    // A loop of the user's resumes its stops first: a stop that it is given is gone by the next turn.
    life.drive = () => this.#run(() => life.system.sleep(0))
    life.tracer = { changed: result => this.#changed(result), lost: error => this.#lost(error) }
  }

  /** The current stop; null while the tracee runs, and after its end. */
  get stop(): StopStatus | null {
    return this.#stop
  }

  /**
   * Resumes the tracee from any kind of stop, `PTRACE_CONT`, delivering `signal` if one is given.
   *
   * @throws SystemError ESRCH when the tracee is not stopped.
   */
  cont(signal?: Signal): void {
    this.#go('cont', signal)
  }

  /**
   * Runs one instruction, `PTRACE_SINGLESTEP`, then stops with SIGTRAP.
   *
   * @throws SystemError ESRCH when the tracee is not stopped.
   */
  step(signal?: Signal): void {
    this.#go('step', signal)
  }

  /**
   * Runs to the next entry or exit of a system call, `PTRACE_SYSCALL`. If an exec's entry was not shown, its exit is
   * not shown either.
   *
   * @throws SystemError ESRCH when the tracee is not stopped.
   */
  syscall(signal?: Signal): void {
    this.#go('syscall', signal)
  }

  /**
   * Keeps the tracee in its group stop, `PTRACE_LISTEN`, until SIGCONT, another stop signal, an interrupt() or its end.
   *
   * @throws SystemError ESRCH when the tracee is not stopped; EIO unless the stop has event 'stop', which only a seized
   * tracee has.
   */
  listen(): void {
    this.#mustBeStopped('ptrace')
    this.#system.ptraceListen(this.pid)
    this.#stop = null
  }

  /**
   * Stops a running tracee. A seized one gets `PTRACE_INTERRUPT` and stops with event 'stop'. Another one gets a
   * SIGSTOP, which `cont()` without a signal discards.
   *
   * @throws SystemError ESRCH when the child is no longer traced: an untraced thread of it has exec'ed.
   */
  interrupt(): void {
    this.#mustBeTraced('PTRACE_INTERRUPT')
    try {
      this.#system.ptraceInterrupt(this.pid)
      return
    } catch (error) {
      if (isErrno(error, 'ESRCH')) throw this.#untraced('PTRACE_INTERRUPT', error)
      // EIO: traced, but not seized.
      if (!isErrno(error, 'EIO')) throw error
    }
    this.#system.tgkill(this.pid, this.pid, 'SIGSTOP')
    this.#interrupted = true
  }

  /**
   * Ends the tracing, `PTRACE_DETACH`, and resumes the child with the signal of its stop, or the given one. The child
   * stays a child of this process: `exited` resolves.
   *
   * @throws (by rejection) SystemError ESRCH when the tracee is not stopped.
   */
  async detach(options: DetachOptions = {}): Promise<void> {
    const { signal } = checkOptions(options, 'options', ['signal']) as DetachOptions
    const number = checkDeliveredSignal(signal)
    const stop = this.#mustBeStopped('PTRACE_DETACH')
    const given = signal === undefined ? this.#unfinishedSignal(stop) : number
    this.#system.ptraceDetach(this.pid, this.#resumption.queue(stop, number) ? 0 : given)
    this.#tracing = null
    this.#stop = null
  }

  /**
   * Detaches the tracee and leaves it in state T, ready for another debugger, strace or perf. Resolves once it is
   * there.
   *
   * No instruction runs. The signal of the stop, and every pending signal, stays pending with its siginfo. SIGCONT
   * resumes the child. It stays a child of this process: `exited` resolves.
   */
  async handOff(): Promise<void> {
    this.#look()
    const stop = this.#mustBeStopped('PTRACE_DETACH')
    const next = new NextChange(this.#system, this.#watched)
    this.#stop = null
    this.#leaving = next
    try {
      await leaveStopped(this.#system, this.pid, stop, next)
      this.#tracing = null
      this.#watched.alsoWaitFor(WUNTRACED)
      while (!this.#watched.ended && (await next.waitWithin(resendStopMs)) === undefined) {
        // A SIGCONT came before the child stopped, and dropped the SIGSTOP.
        this.kill('SIGSTOP')
      }
    } finally {
      this.#watched.alsoWaitFor(0)
      this.#leaving = undefined
    }
  }

  /**
   * Resolves with the current stop, or else with the next stop, or with the end. A wait that times out or is aborted
   * loses nothing.
   *
   * @throws (by rejection) TimedOutError after `timeoutMs`, the signal's reason when aborted.
   */
  async wait(options: WaitOptions = {}): Promise<WaitStatus> {
    using deadline = new Deadline(this.#system, `waiting for process ${this.pid}`, checkWaitOptions(options), () =>
      this.#watched.poll(),
    )
    this.#look()
    return this.#stop ?? this.#exit ?? (await this.#change(deadline.signal))
  }

  /** As {@link wait}, blocking the thread. */
  waitSync(): WaitStatus {
    this.#look()
    while (this.#stop === null && this.#exit === null && !this.#watched.ended) this.#watched.block()
    const status = this.#stop ?? this.#exit
    if (status === null) throw this.#gone('waitpid', 'ECHILD')
    return status
  }

  /**
   * The tracee's stops, from the current one until its end. The loop's body resumes the tracee. Each stop is given
   * once, and only while current: a stop that the body has awaited and resumed is not given.
   *
   * @example for await (const stop of tracee.stops()) tracee.cont(stop.event ? undefined : stop.signal)
   */
  async *stops(): AsyncGenerator<StopStatus, void, undefined> {
    let given: StopStatus | null = null
    for (;;) {
      this.#look()
      if (this.#stop !== null && this.#stop !== given) {
        given = this.#stop
        yield given
      } else if (this.#exit !== null) return
      else await this.#change()
    }
  }

  /**
   * Runs the tracee to its end as if untraced: its signals are delivered and its group stops kept. Resolves with the
   * end.
   */
  run(): Promise<ChildExit> {
    return this.#run()
  }

  async #run(beforeEach?: () => Promise<void>): Promise<ChildExit> {
    for (;;) {
      const status = await this.wait()
      if (status.kind !== 'stopped') return this.exited
      await beforeEach?.()
      // A listener may have resumed the tracee: the current stop may be a later one, with a signal of its own.
      if (this.#stop === status) await this.#passOn(status)
    }
  }

  /** The general-purpose registers, `PTRACE_GETREGSET`. @throws SystemError ESRCH when the tracee is not stopped. */
  registers(): Registers {
    this.#mustBeTraced('PTRACE_GETREGSET')
    return this.#system.ptraceGetRegisters(this.pid)
  }

  /**
   * Sets registers, `PTRACE_SETREGSET`; registers left out keep their values. `pc` and `sp` alias the architecture's
   * own names.
   *
   * @throws SystemError ESRCH when the tracee is not stopped; TypeError ERR_INVALID_ARG_VALUE for a name that is no
   * register of this tracee.
   */
  setRegisters(registers: RegisterChanges): void {
    this.#mustBeTraced('PTRACE_SETREGSET')
    this.#system.ptraceSetRegisters(this.pid, registers)
  }

  /**
   * Reads `length` bytes of the tracee's memory, even from pages without access. Gives fewer bytes where the range
   * leaves mapped memory.
   *
   * @throws SystemError EFAULT when nothing is mapped at `address`.
   */
  readMemory(address: bigint, length: number): Uint8Array {
    checkAddress(address)
    checkInt(length, 'length')
    this.#mustBeTraced('process_vm_readv')
    return this.#system.readMemory(this.pid, address, length)
  }

  /**
   * Writes the tracee's memory, even to read-only pages. Returns the count of bytes written.
   *
   * @throws SystemError EFAULT when nothing is mapped at `address`.
   */
  writeMemory(address: bigint, data: Uint8Array): number {
    checkAddress(address)
    checkBytes(data, 'data')
    this.#mustBeTraced('process_vm_writev')
    return this.#system.writeMemory(this.pid, address, data)
  }

  #lost(error: SystemError): void {
    this.#stop = null
    this.#leaving?.fail(error)
    this.#next.fail(error)
  }

  #changed({ status, rusage }: WaitResult): void {
    if (isExit(status)) {
      this.#stop = null
      this.#exit = { ...status, rusage } as ChildExit
    }
    this.#leaving?.settle(status)
    if (status.kind === 'continued') {
      if (this.#kept !== null && this.#kept === this.#stop) this.#tolerateDeath(() => this.#go('cont', 0))
      return
    }
    if (status.kind === 'stopped') {
      if (this.#leaving !== undefined || this.#tracing === null || this.#resumption.passUnseen(status)) return
      this.#stop = status
      this.#announce(status)
    }
    this.#next.settle(status)
  }

  /**
   * Emits 'stop'. A listener that throws must not fail a wait or hide the stop from it: its error is uncaught instead.
   */
  #announce(stop: StopStatus): void {
    try {
      this.emit('stop', stop)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }

  #go(going: Going, signal: Signal | undefined): void {
    const number = checkDeliveredSignal(signal)
    const stop = this.#mustBeStopped('ptrace')
    this.#resumption.go(going, stop, number)
    this.#leave(stop)
  }

  /** Clears the stop after a resumption. */
  #leave(stop: StopStatus): void {
    if (stop.signal === 'SIGSTOP') this.#interrupted = false
    this.#stop = null
  }

  /** Resumes the tracee from a stop as if untraced. */
  async #passOn(stop: StopStatus): Promise<void> {
    const state = { stepped: this.#resumption.going === 'step', interrupted: this.#interrupted }
    let mustStay = false
    this.#tolerateDeath(() => {
      const passage = passageFrom(this.#system, this.pid, stop, state)
      if (passage === 'stay') mustStay = true
      else if (passage === 'listen') this.listen()
      else this.#go('cont', passage === 'deliver' ? stop.signal : 0)
    })
    if (mustStay) await this.#untilContinued(stop)
  }

  /** Ignores ESRCH: a tracee killed at its stop refuses requests, and its exit is about to be reported. */
  #tolerateDeath(request: () => void): void {
    try {
      request()
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error
      this.#stop = null
    }
  }

  /**
   * Stays at a group stop that PTRACE_LISTEN cannot keep. The tracee stays traced throughout, so exitKill still holds.
   */
  async #untilContinued(stop: StopStatus): Promise<void> {
    this.#kept = stop
    this.#watched.alsoWaitFor(WCONTINUED)
    try {
      while (this.#stop === stop) {
        // Only a simulated System reports the continuation.
        if (this.#system.kind === 'native') await this.#next.waitWithin(lookForContinuationMs)
        else await this.#change()
      }
    } finally {
      this.#watched.alsoWaitFor(0)
      this.#kept = null
    }
  }

  /** Takes pending changes. A request made directly on System may have resumed the tracee: that stop is cleared. */
  #look(): void {
    if (this.#stop !== null && !this.#isStopped()) this.#stop = null
    this.#watched.poll()
  }

  /** Whether the kernel accepts requests: false while the tracee runs, listens or dies. */
  #isStopped(): boolean {
    try {
      this.#system.ptraceGetEventMessage(this.pid)
      return true
    } catch (error) {
      if (isErrno(error, 'ESRCH')) return false
      throw error
    }
  }

  #change(signal?: AbortSignal): Promise<WaitStatus> {
    return this.#watched.ended ? this.exited : this.#next.wait(signal)
  }

  /** The signal of the stop that is not yet delivered; 0 where there is none. */
  #unfinishedSignal(stop: StopStatus): Signal {
    if (stop.event !== undefined || (stop.signal === 'SIGSTOP' && this.#interrupted)) return 0
    return isGroupStop(this.#system, this.pid, stop) ? 0 : ownSignal(this.#system, this.pid, stop)
  }

  #mustBeTraced(syscall: string): void {
    if (this.#watched.ended) throw this.#gone(syscall, 'ESRCH')
    if (this.#tracing === null || this.#leaving !== undefined) {
      throw new SystemError({ errno: 'ESRCH', syscall, pid: this.pid, hint: 'the child was detached' })
    }
  }

  /**
   * The stop that the caller has seen. Resuming from a newer, unseen stop would lose that stop's signal.
   */
  #mustBeStopped(syscall: string): StopStatus {
    this.#mustBeTraced(syscall)
    if (this.#stop === null) {
      throw new SystemError({ errno: 'ESRCH', syscall: 'ptrace', pid: this.pid, hint: 'the child is not stopped' })
    }
    return this.#stop
  }

  /** The error for a tracee that the kernel refuses, although no end has been reported. */
  #untraced(syscall: string, error: SystemError): SystemError {
    this.#watched.poll()
    if (this.#watched.ended) return this.#gone(syscall, 'ESRCH')
    // Killed at its stop; or traced by another thread of this process, which the message already says.
    if (this.#stop !== null || error.message.includes('another thread')) return error
    const hint = 'the child is not traced any more: a thread of it that was not traced has started another program'
    return new SystemError({ errno: 'ESRCH', syscall, pid: this.pid, hint })
  }

  #gone(syscall: string, errno: string): SystemError {
    return new SystemError({ errno, syscall, pid: this.pid, hint: 'the child has ended' })
  }
}
