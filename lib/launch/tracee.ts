/** A traced child: it stays at every stop until told to go on. */

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

/** How often a group stop under TRACEME is looked at: the kernel tells its tracer nothing of SIGCONT. */
const lookForContinuationMs = 25

/** How a tracee is traced: PTRACE_LISTEN and PTRACE_INTERRUPT need 'seize'. */
export type Tracing = 'traceme' | 'seize'

/** How a tracee is let go. */
export interface DetachOptions {
  /** Delivered in place of the signal that it stopped for; 0: neither is. */
  readonly signal?: Signal | undefined
}

/** Makes a Tracee, for launch(). */
export let newTracee: (life: ChildLife, tracing: Tracing) => Tracee

/**
 * A traced child process.
 *
 * It stops for every signal, ignored ones too (a shell for each SIGCHLD), and at every exec; it stays at each stop until told: `cont()` delivers
 * no signal, `cont(tracee.stop.signal)` passes the one it stopped for on. Its tracer is the thread that launched it.
 */
export class Tracee extends Child {
  readonly #system: System
  readonly #watched: WatchedChild
  readonly #resumption: Resumption
  #tracing: Tracing | null
  #stop: StopStatus | null = null
  #exit: ExitStatus | null = null
  // A SIGSTOP of interrupt() is on its way.
  #interrupted = false
  // The group stop that run() keeps until SIGCONT, under TRACEME.
  #kept: StopStatus | null = null
  // The next stop that is shown, or the end.
  readonly #next: NextChange
  // While it is handed off: the next change, shown or not.
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
    life.tracer = { changed: result => this.#changed(result), lost: error => this.#lost(error) }
  }

  /** The stop it is at; null while it runs, and after its end. */
  get stop(): StopStatus | null {
    return this.#stop
  }

  /**
   * Lets it run, `PTRACE_CONT`, delivering `signal` if one is given, at whatever stop it is.
   *
   * @throws SystemError ESRCH when it is not stopped.
   */
  cont(signal?: Signal): void {
    this.#go('cont', signal)
  }

  /** Lets it run one instruction, `PTRACE_SINGLESTEP`; it stops with SIGTRAP. @throws SystemError ESRCH when it is not stopped. */
  step(signal?: Signal): void {
    this.#go('step', signal)
  }

  /**
   * Lets it run to the next entry or exit of a system call, `PTRACE_SYSCALL`. The exit of an exec whose entry was not shown is not shown either.
   *
   * @throws SystemError ESRCH when it is not stopped.
   */
  syscall(signal?: Signal): void {
    this.#go('syscall', signal)
  }

  /**
   * Keeps it in its group stop until something happens, `PTRACE_LISTEN`: SIGCONT, another stop signal, an interrupt() or its end.
   *
   * @throws SystemError ESRCH when it is not stopped, EIO where the stop is not one of event 'stop', which only a seized tracee has.
   */
  listen(): void {
    this.#mustBeStopped('ptrace')
    this.#system.ptraceListen(this.pid)
    this.#stop = null
  }

  /**
   * Asks a running tracee to stop: `PTRACE_INTERRUPT` when seized (a stop with event 'stop'), else a SIGSTOP, which `cont()` without a signal discards.
   *
   * @throws SystemError ESRCH when it is not traced any more: a thread that was not traced has started another program in its place.
   */
  interrupt(): void {
    this.#mustBeTraced('PTRACE_INTERRUPT')
    try {
      this.#system.ptraceInterrupt(this.pid)
      return
    } catch (error) {
      if (isErrno(error, 'ESRCH')) throw this.#untraced('PTRACE_INTERRUPT', error)
      // Traced, but not seized.
      if (!isErrno(error, 'EIO')) throw error
    }
    this.#system.tgkill(this.pid, this.pid, 'SIGSTOP')
    this.#interrupted = true
  }

  /**
   * Ends the tracing, `PTRACE_DETACH`: the child goes on and gets the signal that it stopped for, or the one given. It is still ours: `exited` resolves.
   *
   * @throws (by rejection) SystemError ESRCH when it is not stopped.
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
   * Detaches it and leaves it in state T for another debugger, strace or perf to take over; resolves once it is there.
   *
   * No instruction runs. A signal that it was stopped for, or that is pending, stays pending with its siginfo. SIGCONT lets it go on.
   * It is still ours: `exited` resolves.
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
        // SIGCONT came before it had stopped.
        this.kill('SIGSTOP')
      }
    } finally {
      this.#watched.alsoWaitFor(0)
      this.#leaving = undefined
    }
  }

  /**
   * Resolves with the stop it is at, or else with the next one, or with its end. One that times out or is aborted loses nothing.
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
   * Its stops, from the one it is at, until its end; the loop's body says how it goes on. Each is given once, while the tracee is at it:
   * one that the body has itself waited for and gone on from is not given.
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

  /** Lets it run to its end, passing its signals on and keeping its group stops, as if it were not traced. Resolves with its end. */
  async run(): Promise<ChildExit> {
    for (;;) {
      const status = await this.wait()
      if (status.kind !== 'stopped') return this.exited
      // A listener may have sent it on: what it is at by then is another stop, with a signal of its own.
      if (this.#stop === status) await this.#passOn(status)
    }
  }

  /** Its general-purpose registers, `PTRACE_GETREGSET`. @throws SystemError ESRCH when it is not stopped. */
  registers(): Registers {
    this.#mustBeTraced('PTRACE_GETREGSET')
    return this.#system.ptraceGetRegisters(this.pid)
  }

  /**
   * Sets registers, `PTRACE_SETREGSET`; those left out keep their values. `pc` and `sp` stand for the architecture's own names of them.
   *
   * @throws SystemError ESRCH when it is not stopped; TypeError ERR_INVALID_ARG_VALUE for what is no register of this tracee.
   */
  setRegisters(registers: RegisterChanges): void {
    this.#mustBeTraced('PTRACE_SETREGSET')
    this.#system.ptraceSetRegisters(this.pid, registers)
  }

  /** Reads `length` bytes of its memory, pages without access included; fewer where the range leaves what is mapped. @throws SystemError EFAULT when nothing is. */
  readMemory(address: bigint, length: number): Uint8Array {
    checkAddress(address)
    checkInt(length, 'length')
    this.#mustBeTraced('process_vm_readv')
    return this.#system.readMemory(this.pid, address, length)
  }

  /** Writes its memory, read-only pages included; the bytes written. @throws SystemError EFAULT when nothing is mapped there. */
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

  /** No listener's fault is that of a wait, or keeps the stop from one. */
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

  /** It has been sent on from this stop. */
  #leave(stop: StopStatus): void {
    if (stop.signal === 'SIGSTOP') this.#interrupted = false
    this.#stop = null
  }

  /** Lets it go on from a stop as if it were not traced. */
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

  /** What is done to a tracee that was killed at its stop is done in vain: its end is on its way. */
  #tolerateDeath(request: () => void): void {
    try {
      request()
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error
      this.#stop = null
    }
  }

  /** Stays at a group stop that PTRACE_LISTEN cannot keep. The tracee remains traced, and bound to us, throughout. */
  async #untilContinued(stop: StopStatus): Promise<void> {
    this.#kept = stop
    this.#watched.alsoWaitFor(WCONTINUED)
    try {
      while (this.#stop === stop) {
        // A simulated System announces it.
        if (this.#system.kind === 'native') await this.#next.waitWithin(lookForContinuationMs)
        else await this.#change()
      }
    } finally {
      this.#watched.alsoWaitFor(0)
      this.#kept = null
    }
  }

  /** Takes what has happened. A stop is past, too, where it was sent on by a request of System's own. */
  #look(): void {
    if (this.#stop !== null && !this.#isStopped()) this.#stop = null
    this.#watched.poll()
  }

  /** Whether the kernel takes requests for it: not while it runs, listens or dies. */
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

  /** The signal that it stopped for and that is still to be delivered; 0 where there is none. */
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

  /** The stop that its user has seen. Resumed from one that it has reached since, it would lose that stop's signal. */
  #mustBeStopped(syscall: string): StopStatus {
    this.#mustBeTraced(syscall)
    if (this.#stop === null) {
      throw new SystemError({ errno: 'ESRCH', syscall: 'ptrace', pid: this.pid, hint: 'the child is not stopped' })
    }
    return this.#stop
  }

  /** Why the kernel does not know it as a tracee, although its user was not told of an end. */
  #untraced(syscall: string, error: SystemError): SystemError {
    this.#watched.poll()
    if (this.#watched.ended) return this.#gone(syscall, 'ESRCH')
    // Killed at its stop; or traced by another thread of this process, which the error says.
    if (this.#stop !== null || error.message.includes('another thread')) return error
    const hint = 'the child is not traced any more: a thread of it that was not traced has started another program'
    return new SystemError({ errno: 'ESRCH', syscall, pid: this.pid, hint })
  }

  #gone(syscall: string, errno: string): SystemError {
    return new SystemError({ errno, syscall, pid: this.pid, hint: 'the child has ended' })
  }
}
