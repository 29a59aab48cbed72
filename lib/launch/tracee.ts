/** A traced child: it stays at every stop until told to go on. */

import { checkAddress, checkBytes, checkDeliveredSignal, checkInt } from '../system/arguments.ts'
import { constants } from '../system/constants.ts'
import { isErrno, SystemError } from '../system/errors.ts'
import type { Registers } from '../system/registers.ts'
import type { Signal } from '../system/signals.ts'
import type { System, WaitResult } from '../system/system.ts'
import type { ExitStatus, StopStatus, WaitStatus } from '../system/wait-status.ts'
import { Child, type ChildExit } from './child.ts'
import { checkWaitOptions, Deadline, orAborted, type WaitOptions } from './deadline.ts'
import { isGroupStop, passOnStop } from './pass-on.ts'
import type { ChildStream } from './stdio.ts'

const { WCONTINUED, WUNTRACED } = constants

// Stops that handOff() need not repeat: those that stop it are what it does, a SIGTRAP was the tracer's, and a SIGCONT sent anew would undo the stop.
const notPending: ReadonlySet<string> = new Set(['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGTRAP', 'SIGCONT'])

/** How a tracee is traced: PTRACE_LISTEN and PTRACE_INTERRUPT need 'seize'. */
export type Tracing = 'traceme' | 'seize'

interface Waiter {
  settle(status: WaitStatus): void
  fail(error: Error): void
}

/**
 * A traced child process.
 *
 * It stops for every signal, ignored ones too (a shell for each SIGCHLD), and at every exec; it stays at each stop until told: `cont()` delivers
 * no signal, `cont(tracee.stop.signal)` passes the one it stopped for on. Its tracer is the thread that launched it.
 */
export class Tracee extends Child {
  #tracing: Tracing | null
  #options: number
  #stop: StopStatus | null = null
  #exit: ExitStatus | null = null
  // What its next SIGTRAP and SIGSTOP are likely to come of.
  #stepped = false
  #interrupted = false
  // Those who wait for the next stop or the end.
  readonly #waiters = new Set<Waiter>()

  /** @internal Tracees come from launch(). */
  constructor(system: System, pid: number, stdio: readonly (ChildStream | null)[], tracing: Tracing, options: number) {
    super(system, pid, stdio)
    this.#tracing = tracing
    this.#options = options
  }

  /** The stop it is at; null while it runs, and after its end. */
  get stop(): StopStatus | null {
    return this.#stop
  }

  /** Lets it run, `PTRACE_CONT`, delivering `signal` if one is given. @throws SystemError ESRCH when it is not stopped. */
  cont(signal?: Signal): void {
    this.#resume(() => this.system.ptraceCont(this.pid, signal), signal)
  }

  /** Lets it run one instruction, `PTRACE_SINGLESTEP`; it stops with SIGTRAP. @throws SystemError ESRCH when it is not stopped. */
  step(signal?: Signal): void {
    this.#resume(() => this.system.ptraceStep(this.pid, signal), signal)
    this.#stepped = true
  }

  /** Lets it run to the next entry or exit of a system call, `PTRACE_SYSCALL`. @throws SystemError ESRCH when it is not stopped. */
  syscall(signal?: Signal): void {
    this.#resume(() => this.system.ptraceSyscall(this.pid, signal), signal)
  }

  /**
   * Asks a running tracee to stop: `PTRACE_INTERRUPT` when seized (a stop with event 'stop'), else a SIGSTOP, which `cont()` without a signal discards.
   */
  interrupt(): void {
    this.#mustBeTraced('PTRACE_INTERRUPT')
    if (this.#tracing === 'seize') this.system.ptraceInterrupt(this.pid)
    else {
      this.system.kill(this.pid, 'SIGSTOP')
      this.#interrupted = true
    }
  }

  /**
   * Ends the tracing, `PTRACE_DETACH`; the child goes on, with `signal` delivered if one is given. It is still ours: `exited` resolves.
   *
   * @throws SystemError ESRCH when it is not stopped.
   */
  detach(signal?: Signal): void {
    const number = checkDeliveredSignal(signal)
    const stop = this.#mustBeStopped('PTRACE_DETACH')
    if (number !== 0 && (stop.event !== undefined || isGroupStop(this.system, this.pid, stop))) {
      // PTRACE_DETACH delivers at signal-delivery stops only: here the signal is sent first, and taken once the child runs.
      this.system.kill(this.pid, number)
      this.system.ptraceDetach(this.pid)
    } else {
      this.system.ptraceDetach(this.pid, number)
    }
    this.#tracing = null
    this.#stop = null
  }

  /**
   * Detaches it and leaves it in state T for another debugger, strace or perf to take over; resolves once it is there.
   *
   * A signal that it was stopped for stays pending. SIGCONT lets it go on. It is still ours: `exited` resolves.
   */
  async handOff(): Promise<void> {
    const { event, signal } = this.#mustBeStopped('PTRACE_DETACH')
    if (event === undefined && !notPending.has(signal)) {
      // Delivered now it might end the child, which would never stop: it is sent anew, and a SIGSTOP delivered in its place.
      this.system.kill(this.pid, signal)
      this.system.ptraceDetach(this.pid, 'SIGSTOP')
    } else {
      this.system.kill(this.pid, 'SIGSTOP')
      this.system.ptraceDetach(this.pid, signal === 'SIGCONT' && event === undefined ? signal : 0)
    }
    this.#tracing = null
    this.#stop = null
    this.watched.alsoWaitFor(WUNTRACED | WCONTINUED)
    try {
      await this.#next()
    } finally {
      this.watched.alsoWaitFor(0)
    }
  }

  /**
   * Resolves with the stop it is at, or else with the next one, or with its end. One that times out or is aborted loses nothing.
   *
   * @throws (by rejection) TimedOutError after `timeoutMs`, the signal's reason when aborted.
   */
  async wait(options: WaitOptions = {}): Promise<WaitStatus> {
    using deadline = new Deadline(this.system, `waiting for process ${this.pid}`, checkWaitOptions(options))
    this.watched.poll()
    return this.#stop ?? this.#exit ?? (await this.#next(deadline.signal))
  }

  /** As {@link wait}, blocking the thread. */
  waitSync(): WaitStatus {
    this.watched.poll()
    while (this.#stop === null && this.#exit === null && !this.watched.ended) this.watched.block()
    const status = this.#stop ?? this.#exit
    if (status === null) throw this.#gone('waitpid', 'ECHILD')
    return status
  }

  /**
   * Its stops, from the one it is at, until its end. Each stop is given once; the loop's body says how it goes on.
   *
   * @example for await (const stop of tracee.stops()) tracee.cont(stop.event ? undefined : stop.signal)
   */
  async *stops(): AsyncGenerator<StopStatus, void, undefined> {
    const seen: WaitStatus[] = this.#stop === null ? [] : [this.#stop]
    let wake = () => {}
    const note = (status: StopStatus) => {
      seen.push(status)
      wake()
    }
    this.on('stop', note)
    const ended = this.exited.then(
      () => wake(),
      () => wake(),
    )
    try {
      for (;;) {
        const stop = seen.shift()
        if (stop?.kind === 'stopped') yield stop
        else if (this.watched.ended) return void (await ended)
        else {
          await new Promise<void>(resolve => {
            wake = resolve
          })
        }
      }
    } finally {
      this.off('stop', note)
    }
  }

  /** Lets it run to its end, passing its signals on and keeping its group stops, as if nobody traced it. Resolves with its end. */
  async run(): Promise<ChildExit> {
    for (;;) {
      const status = await this.wait()
      if (status.kind !== 'stopped') return this.exited
      this.#passOn(status)
    }
  }

  /** Its general-purpose registers, `PTRACE_GETREGSET`. @throws SystemError ESRCH when it is not stopped. */
  registers(): Registers {
    this.#mustBeTraced('PTRACE_GETREGSET')
    return this.system.ptraceGetRegisters(this.pid)
  }

  /** Sets registers, `PTRACE_SETREGSET`; those left out keep their values. @throws SystemError ESRCH when it is not stopped. */
  setRegisters(registers: Registers): void {
    this.#mustBeTraced('PTRACE_SETREGSET')
    this.system.ptraceSetRegisters(this.pid, registers)
  }

  /** Reads `length` bytes of its memory; fewer where the range leaves what is mapped. @throws SystemError EFAULT when nothing is. */
  readMemory(address: bigint, length: number): Uint8Array {
    checkAddress(address)
    checkInt(length, 'length')
    this.#mustBeTraced('process_vm_readv')
    return this.system.readMemory(this.pid, address, length)
  }

  /** Writes its memory, read-only pages included; the bytes written. @throws SystemError EFAULT when nothing is mapped there. */
  writeMemory(address: bigint, data: Uint8Array): number {
    checkAddress(address)
    checkBytes(data, 'data')
    this.#mustBeTraced('ptrace')
    return this.system.writeMemory(this.pid, address, data)
  }

  /** @internal */
  protected override onChange(result: WaitResult): void {
    const { status } = result
    try {
      if (status.kind === 'stopped' && this.#tracing !== null) {
        this.#stop = status
        this.emit('stop', status)
      }
      super.onChange(result)
    } finally {
      // Also where a listener has thrown: those who wait are not to wait for ever.
      this.#wake(waiter => waiter.settle(status))
    }
  }

  /** @internal */
  protected override onExit(exit: ChildExit): void {
    this.#stop = null
    this.#exit = exit
    super.onExit(exit)
  }

  /** @internal */
  override lost(error: SystemError): void {
    this.#stop = null
    super.lost(error)
    this.#wake(waiter => waiter.fail(error))
  }

  #resume(request: () => void, signal: Signal | undefined): void {
    checkDeliveredSignal(signal)
    this.#mustBeStopped('ptrace')
    request()
    if (this.#stop?.signal === 'SIGSTOP') this.#interrupted = false
    this.#stop = null
    this.#stepped = false
  }

  #passOn(status: StopStatus): void {
    try {
      this.#tracing = passOnStop(this.system, this.pid, status, {
        tracing: this.#tracing,
        options: this.#options,
        stepped: this.#stepped,
        interrupted: this.#interrupted,
      })
      if (status.signal === 'SIGSTOP') this.#interrupted = false
      this.#stop = null
      this.#stepped = false
    } catch (error) {
      // Killed at its stop: its end is on its way.
      if (!isErrno(error, 'ESRCH')) throw error
      this.#stop = null
    }
  }

  /** The next change of state. */
  async #next(signal?: AbortSignal): Promise<WaitStatus> {
    if (this.watched.ended) return this.exited
    let waiter: Waiter | undefined
    const change = new Promise<WaitStatus>((settle, fail) => {
      waiter = { settle, fail }
      this.#waiters.add(waiter)
    })
    // What came before this wait would not be announced again.
    this.watched.poll()
    try {
      return await orAborted(change, signal)
    } finally {
      this.#waiters.delete(waiter!)
    }
  }

  #wake(how: (waiter: Waiter) => void): void {
    if (this.#waiters.size === 0) return
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    for (const waiter of waiters) how(waiter)
  }

  #mustBeTraced(syscall: string): void {
    if (this.watched.ended) throw this.#gone(syscall, 'ESRCH')
    if (this.#tracing === null) {
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

  #gone(syscall: string, errno: string): SystemError {
    return new SystemError({ errno, syscall, pid: this.pid, hint: 'the child has ended' })
  }
}
