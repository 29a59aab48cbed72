/** A traced process: its threads, the processes followed from it, and its memory. */

import { checkAddress, checkBytes, checkInt, checkList, checkOptions } from '../../system/arguments.ts'
import { callListener } from '../../system/call-listener.ts'
import { isErrno } from '../../system/errors.ts'
import { here, requireHere } from '../../system/made-here.ts'
import type { RegisterChanges, Registers } from '../../system/registers.ts'
import type { Signal } from '../../system/signals.ts'
import type { SignalInfo, SyscallInfo } from '../../system/system.ts'
import type { StopStatus, WaitStatus } from '../../system/wait-status.ts'
import type { WaitOptions } from '../base/deadline.ts'
import type { Faces, Origin } from '../tracing/births/origin.ts'
import { leaveAtExit } from '../tracing/leaving/leave-at-exit.ts'
import type { WatchOptions } from '../tracing/memory/debug-registers.ts'
import { checkShownEvent, everyStop } from '../tracing/process/every-stop.ts'
import { detach, handOff, stopDeadline } from '../tracing/process/leaving.ts'
import { readMemory, setBreakpoint, writeMemory } from '../tracing/process/process-memory.ts'
import { passOnAll } from '../tracing/process/run.ts'
import { TracedProcess } from '../tracing/process/traced-process.ts'
import type { Tracing } from '../tracing/tasks/options.ts'
import { Child, type ChildExit, contextOf } from './child.ts'
import { showBriefly, stateOf } from './show-briefly.ts'
import { emitEnd, emitStop, faceOf, newTracedThread, type TracedThread } from './traced-thread.ts'
import type { DetachOptions, EveryStopOptions, StopAllOptions } from './tracee-options.ts'

/** A stop of a thread, as everyStop() gives it. */
export interface ThreadStop {
  /** The thread that has stopped. */
  readonly thread: TracedThread
  /** Its stop. */
  readonly stop: StopStatus<TracedThread | Tracee>
}

/** The process behind a Tracee, for attach(). */
export let processOf: (tracee: Tracee) => TracedProcess

/** Makes a Tracee, for launch() and attach(). */
export let newTracee: (origin: Origin<TracedProcess>) => Tracee

/**
 * A traced child process.
 *
 * Its threads are TracedThreads. Its own `stop`, `cont()`, `wait()` and so on are those of its main thread. It stops at
 * every exec, and for every signal, even an ignored one: a shell stops for each SIGCHLD. It stays at each stop until a
 * request resumes it. `cont()` delivers no signal. `cont(tracee.stop.signal)` delivers the signal of the stop. The
 * tracer is the thread of Node that launched the child.
 */
export class Tracee extends Child {
  readonly #mainThread: TracedThread
  readonly #process: TracedProcess
  readonly #threads = new Map<number, TracedThread>()
  readonly #children = new Map<number, Tracee>()
  readonly #parent: Tracee | null
  #isDisposed = false

  static {
    processOf = tracee => tracee.#process
    newTracee = origin => new Tracee(new TracedProcess(origin), null, here)
  }

  /** Tracees come from launch() and attach(), and from the event 'follow'. */
  private constructor(process: TracedProcess, parent: Tracee | null, key: unknown) {
    requireHere(key, 'Tracee', 'launch() or attach()')
    super(process.life, key, parent === null ? undefined : contextOf(parent))
    this.#process = process
    this.#parent = parent
    this.#mainThread = newTracedThread(process.main, this)
    this.#threads.set(this.pid, this.#mainThread)
    process.main.face = {
      object: this.#mainThread,
      stopped: stop => this.#mainStopped(stop as StopStatus<TracedThread | Tracee>),
      ended: (reason, status) => emitEnd(this.#mainThread, reason, status),
    }
    process.faces = this.#faces()
    // A user's loop resumes the stops that it gets first: by the next turn of the event loop, such a stop is over.
    // Named first: V8 allocates a function literal that is assigned to a property in the old generation.
    const drive = () => {
      // A process that is being terminated must run, even if stopAll() keeps it stopped.
      if (process.halt.isOn && process.tracing !== null) process.halt.contAll()
      return this.#run(() => process.system.sleep(0))
    }
    process.life.drive = drive
  }

  /** How the process is traced; null after a detach. */
  get tracing(): Tracing | null {
    return this.#process.tracing
  }

  /** The main thread. Its tid is the pid. */
  get mainThread(): TracedThread {
    return this.#mainThread
  }

  /** The threads that are shown, by tid. With `follow: false`: the main one, and those at a breakpoint or a watch. */
  get threads(): ReadonlyMap<number, TracedThread> {
    return this.#threads
  }

  /** The process that started it, if that is followed; else null. */
  get parent(): Tracee | null {
    return this.#parent
  }

  /** The processes that it has started and that are followed, by pid, ended ones included. */
  get children(): ReadonlyMap<number, Tracee> {
    return this.#children
  }

  /** The main thread's current stop; null while it runs, and after its end. */
  get stop(): StopStatus<TracedThread | Tracee> | null {
    return this.mainThread.stop
  }

  /** {@link TracedThread.cont} of the main thread. */
  cont(signal?: Signal): void {
    this.mainThread.cont(signal)
  }

  /** {@link TracedThread.step} of the main thread. */
  step(signal?: Signal): void {
    this.mainThread.step(signal)
  }

  /** {@link TracedThread.syscall} of the main thread. */
  syscall(signal?: Signal): void {
    this.mainThread.syscall(signal)
  }

  /** {@link TracedThread.listen} of the main thread. */
  listen(): void {
    this.mainThread.listen()
  }

  /** {@link TracedThread.interrupt} of the main thread. */
  interrupt(): void {
    this.mainThread.interrupt()
  }

  /** {@link TracedThread.wait} of the main thread; after that thread's end, resolves with the end of the process. */
  wait(options?: WaitOptions): Promise<WaitStatus<TracedThread | Tracee>> {
    return this.mainThread.wait(options)
  }

  /** {@link TracedThread.waitSync} of the main thread. */
  waitSync(): WaitStatus<TracedThread | Tracee> {
    return this.mainThread.waitSync()
  }

  /** {@link TracedThread.stops} of the main thread. */
  stops(): AsyncGenerator<StopStatus<TracedThread | Tracee>, void, undefined> {
    return this.mainThread.stops()
  }

  /**
   * The stops of its threads, and of those of every process followed from it, from the current ones until all of them
   * have ended. The loop's body resumes each thread. Each stop is yielded once, and only while its thread is at it.
   *
   * @throws (by rejection) SystemError ECHILD if another waiter has reaped the process. TypeError for an unknown event.
   *
   * @example for await (const { thread, stop } of tracee.everyStop()) thread.cont(stop.event ? undefined : stop.signal)
   */
  everyStop(options: EveryStopOptions = {}): AsyncGenerator<ThreadStop, void, undefined> {
    const asked = () => {
      const { events = [] } = checkOptions(options, 'options', ['events'])
      return checkList(events, () => 'options.events', checkShownEvent)
    }
    return everyStop(this.#process, asked, ({ task, stop }) => ({
      thread: task.face?.object as TracedThread,
      stop: stop as StopStatus<TracedThread | Tracee>,
    }))
  }

  /**
   * Runs the process to its end as if untraced, and with it every process followed from it: signals are delivered and
   * group stops kept. Resolves with its own end.
   *
   * @throws (by rejection) SystemError ECHILD if another waiter has reaped the process.
   */
  run(): Promise<ChildExit> {
    return this.#run()
  }

  async #run(beforeEach?: () => Promise<void>): Promise<ChildExit> {
    const passing = passOnAll(this.#process, beforeEach)
    // Followed processes may outlive this one.
    await Promise.race([passing, this.exited])
    passing.catch(() => {})
    return this.exited
  }

  /**
   * Stops every thread of this process, not those of processes that it has started. These stops are not shown. A thread
   * in uninterruptible sleep, such as one that waits for its vfork child, stops once it wakes.
   *
   * @throws (by rejection) TimedOutError after `timeoutMs`: the threads that have stopped are resumed. SystemError
   * ESRCH if the process has ended or was detached.
   */
  async stopAll(options: StopAllOptions = {}): Promise<void> {
    this.#process.mustBeStarted('PTRACE_INTERRUPT')
    const { timeoutMs } = checkOptions(options, 'options', ['timeoutMs']) as StopAllOptions
    using deadline = stopDeadline(this.#process, timeoutMs)
    await this.#process.halt.stopAll(deadline.signal)
  }

  /**
   * Resumes only the threads that stopAll() has stopped, each by the request it ran under (`cont()`, `step()` …).
   * Threads at other stops stay there.
   *
   * @throws SystemError ESRCH if the process has ended or was detached.
   */
  contAll(): void {
    this.#process.mustBeTraced('ptrace')
    // A detach() or handOff() under way detaches from the threads itself, and could not detach from running ones.
    if (this.#process.isLeaving) this.#process.halt.keepNoLonger()
    else this.#process.halt.contAll()
  }

  /**
   * Ends the tracing of every thread, `PTRACE_DETACH`, from any state, and lets the process run: each thread with the
   * signal of its stop, or the main one with `signal` in its place. A child of this process stays one: `exited`
   * resolves. The processes that it has started stay traced.
   *
   * @throws (by rejection) TimedOutError after `timeoutMs`: the process runs on, traced. SystemError ESRCH if it has
   * ended or was detached before.
   */
  async detach(options: DetachOptions = {}): Promise<void> {
    const { signal, timeoutMs } = checkOptions(options, 'options', ['signal', 'timeoutMs']) as DetachOptions
    await detach(this.#process, signal, timeoutMs)
  }

  /**
   * Detaches the process and leaves it in state T, ready for another debugger, strace or perf. Resolves once it is
   * there.
   *
   * No instruction runs. The signals that threads have stopped for, and every pending signal, stay pending with their
   * siginfo. SIGCONT resumes the process. A child of this process stays one: `exited` resolves.
   *
   * @throws (by rejection) TimedOutError after `timeoutMs`: the process runs on, traced. SystemError ESRCH if it has
   * ended or was detached before.
   */
  async handOff(options: StopAllOptions = {}): Promise<void> {
    const { timeoutMs } = checkOptions(options, 'options', ['timeoutMs']) as StopAllOptions
    await handOff(this.#process, timeoutMs)
  }

  /** {@link TracedThread.registers} of the main thread. */
  registers(): Registers {
    return this.mainThread.registers()
  }

  /** {@link TracedThread.setRegisters} of the main thread. */
  setRegisters(registers: RegisterChanges): void {
    this.mainThread.setRegisters(registers)
  }

  /** {@link TracedThread.registerSet} of the main thread. */
  registerSet(type: number): Uint8Array {
    return this.mainThread.registerSet(type)
  }

  /** {@link TracedThread.setRegisterSet} of the main thread. */
  setRegisterSet(type: number, bytes: Uint8Array): void {
    this.mainThread.setRegisterSet(type, bytes)
  }

  /** {@link TracedThread.signalInfo} of the main thread. */
  signalInfo(): SignalInfo {
    return this.mainThread.signalInfo()
  }

  /** {@link TracedThread.setSignalInfo} of the main thread. */
  setSignalInfo(info: SignalInfo | Uint8Array): void {
    this.mainThread.setSignalInfo(info)
  }

  /** {@link TracedThread.syscallInfo} of the main thread. */
  syscallInfo(): SyscallInfo {
    return this.mainThread.syscallInfo()
  }

  /**
   * Reads memory of the process, even pages without access. `into` is a number of bytes, or a buffer to fill. Returns
   * fewer bytes if the range leaves mapped memory. In place of breakpoints it shows the original instructions.
   *
   * @throws SystemError EFAULT when nothing is mapped at `address`, ESRCH if the process has ended or was detached,
   * EPERM if it has changed its user.
   */
  readMemory(address: bigint, into: number | Uint8Array): Uint8Array {
    checkAddress(address)
    if (typeof into === 'number') checkInt(into, 'into')
    this.#process.mustBeTraced('process_vm_readv')
    return readMemory(this.#process, address, into)
  }

  /**
   * Writes memory of the process, even read-only pages, and returns the number of bytes written. Breakpoints stay in
   * place.
   *
   * @throws SystemError as {@link Tracee.readMemory}.
   */
  writeMemory(address: bigint, data: Uint8Array): number {
    checkAddress(address)
    checkBytes(data, 'data')
    this.#process.mustBeTraced('process_vm_writev')
    return writeMemory(this.#process, address, data)
  }

  /**
   * Sets a breakpoint (int3, or brk on arm64): a thread that comes to `address` stops there with SIGTRAP, before the
   * instruction, with `stop.trap` and the pc at the address. Resumed, it steps over the breakpoint, while the other
   * threads are kept stopped for that instant. Set several times at one address, the breakpoint is removed once each
   * is disposed of. An exec removes it, too; forked processes do not have it.
   *
   * @example
   * const atMain = tracee.breakpoint(addressOfMain)
   * tracee.cont()
   * await tracee.wait() // { kind: 'stopped', signal: 'SIGTRAP', trap: { kind: 'breakpoint', address: … } }
   * atMain[Symbol.dispose]()
   *
   * @throws SystemError EFAULT when nothing is mapped at `address`, ESRCH if the process has ended or was detached,
   * EOPNOTSUPP for a 32-bit ARM program.
   */
  breakpoint(address: bigint): Disposable {
    checkAddress(address)
    this.#process.mustBeTraced('process_vm_writev')
    leaveAtExit(this.#process)
    return setBreakpoint(this.#process, address)
  }

  /**
   * Watches an address by the machine's debug registers, in every thread, new ones too: a thread that writes to it,
   * accesses or executes it stops with SIGTRAP and `stop.trap`. What the kernel writes for a system call is not seen.
   * An exec ends the watch. x64 has four registers; arm64 mostly has four for data and six for code.
   *
   * @example const watched = tracee.watch(addressOfCounter, { size: 8, on: 'write' })
   *
   * @throws SystemError ESRCH when a thread is not stopped, EOPNOTSUPP when the machine's registers never fire, ENOSPC
   * when all are in use, EINVAL for an address that is not a multiple of the size.
   */
  watch(address: bigint, options: WatchOptions): Disposable {
    checkAddress(address)
    const { size, on } = checkOptions(options, 'options', ['size', 'on']) as unknown as WatchOptions
    this.#process.mustBeTraced('ptrace')
    leaveAtExit(this.#process)
    return this.#process.settings.watch(address, { size, on })
  }

  /**
   * Kills the process and every process followed from it, waits for their ends and closes their streams. If the process
   * was attached to, they are detached instead.
   *
   * @throws (by rejection) SystemError EPERM for a process that has become another user.
   */
  override async [Symbol.asyncDispose](): Promise<void> {
    // A child that is found from now on is disposed of, too.
    this.#isDisposed = true
    const disposeOfChildren = () =>
      Promise.all([...this.#process.children].map(child => (child.faces!.process as Tracee)[Symbol.asyncDispose]()))
    if (this.#process.root.kind !== 'attached') {
      this.#process.dispose()
      await Promise.all([super[Symbol.asyncDispose](), disposeOfChildren()])
      await disposeOfChildren()
      return
    }
    if (this.#process.tracing !== null && !this.#process.hasEnded) {
      await this.detach().catch((error: unknown) => {
        if (!isErrno(error, 'ESRCH')) throw error
      })
    }
    // A child of this process is waited for as before.
    if (!this.#process.life.isLaunched) this.unref()
    await disposeOfChildren()
  }

  #mainStopped(stop: StopStatus<TracedThread | Tracee>): void {
    callListener(() => emitStop(this.#mainThread, stop))
    contextOf(this).emit(this, 'stop', () => void this.emit('stop', stop))
  }

  #faces(): Faces<TracedProcess> {
    return {
      process: this,
      thread: task => faceOf(task, this, this.#threads),
      follow: child => {
        const tracee = new Tracee(child, this, here)
        this.#children.set(tracee.pid, tracee)
        // A listener that throws must not suppress the creator's event and the child's birth.
        callListener(() => contextOf(this).emit(this, 'follow', () => void this.emit('follow', tracee)))
        if (this.#isDisposed) void tracee[Symbol.asyncDispose]().catch(() => {})
      },
    }
  }
}

showBriefly(Tracee.prototype, tracee => {
  const { pid, tracing, threads, stop } = tracee
  return { pid, tracing, threads: threads.size, state: stateOf(stop, processOf(tracee).life.end) }
})
