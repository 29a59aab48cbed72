/** A traced process: its main thread's stops, its threads, and its memory. */

import { checkAddress, checkBytes, checkInt, checkList, checkOptions } from '../../system/arguments.ts'
import { callListener } from '../../system/call-listener.ts'
import { isErrno } from '../../system/errors.ts'
import type { RegisterChanges, Registers } from '../../system/registers.ts'
import type { Signal } from '../../system/signals.ts'
import type { SignalInfo, SyscallInfo } from '../../system/system.ts'
import type { StopStatus, WaitStatus } from '../../system/wait-status.ts'
import { Child, type ChildExit } from '../child.ts'
import { takeChanges } from '../child-watch.ts'
import { Deadline, type WaitOptions } from '../deadline.ts'
import { showBriefly, stateOf } from '../show-briefly.ts'
import { checkShownEvent, everyStop } from './every-stop.ts'
import { leaveAtExit } from './leave-at-exit.ts'
import { detach, handOff } from './leaving.ts'
import type { Tracing } from './options.ts'
import type { Faces, Origin } from './origin.ts'
import { readMemory, setBreakpoint, writeMemory } from './process-memory.ts'
import { passOnAll } from './run.ts'
import type { ThreadFace } from './task-state.ts'
import { TracedProcess } from './traced-process.ts'
import { faceOf, newTracedThread, type TracedThread } from './traced-thread.ts'
import type { DetachOptions, EveryStopOptions, StopAllOptions } from './tracee-options.ts'
import type { WatchOptions } from './watchpoints.ts'

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
 * Its threads are TracedThreads. Its own `stop`, `cont()`, `wait()` and so on are those of its main thread. It stops
 * for every signal, even an ignored one (a shell stops for each SIGCHLD), and at every exec, and stays at each stop
 * until a request resumes it. `cont()` delivers no signal. `cont(tracee.stop.signal)` delivers the signal of the stop.
 * The tracer is the thread of Node that launched the child.
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
    newTracee = origin => new Tracee(new TracedProcess(origin), null)
  }

  /** Tracees come from launch() and attach(), and from the event 'follow'. */
  private constructor(process: TracedProcess, parent: Tracee | null) {
    super(process.life)
    this.#process = process
    this.#parent = parent
    this.#mainThread = newTracedThread(process.main, this)
    this.#threads.set(this.pid, this.#mainThread)
    const { face } = process.main
    process.main.face = { ...face!, stopped: stop => this.#mainStopped(face!, stop) }
    process.faces = this.#faces()
    // A loop of the user's resumes its stops first: a stop that it is given is gone by the next turn.
    // Named first: V8 allocates a function literal that is assigned to a property in the old generation.
    const drive = () => {
      // What is to end must run, whatever stopAll() holds.
      if (process.halt.isOn && process.tracing !== null) process.halt.end()
      return this.#run(() => process.system.sleep(0))
    }
    process.life.drive = drive
  }

  /** How it is traced; null after a detach. */
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

  /** As {@link TracedThread.cont}, of the main thread. */
  cont(signal?: Signal): void {
    this.mainThread.cont(signal)
  }

  /** As {@link TracedThread.step}, of the main thread. */
  step(signal?: Signal): void {
    this.mainThread.step(signal)
  }

  /** As {@link TracedThread.syscall}, of the main thread. */
  syscall(signal?: Signal): void {
    this.mainThread.syscall(signal)
  }

  /** As {@link TracedThread.listen}, of the main thread. */
  listen(): void {
    this.mainThread.listen()
  }

  /** As {@link TracedThread.interrupt}, of the main thread. */
  interrupt(): void {
    this.mainThread.interrupt()
  }

  /** As {@link TracedThread.wait}, of the main thread; after its end the process's own. */
  wait(options?: WaitOptions): Promise<WaitStatus<TracedThread | Tracee>> {
    return this.mainThread.wait(options)
  }

  /** As {@link TracedThread.waitSync}, of the main thread. */
  waitSync(): WaitStatus<TracedThread | Tracee> {
    return this.mainThread.waitSync()
  }

  /** As {@link TracedThread.stops}, of the main thread. */
  stops(): AsyncGenerator<StopStatus<TracedThread | Tracee>, void, undefined> {
    return this.mainThread.stops()
  }

  /**
   * The stops of all its threads, and of all that is followed from it, from the current ones until everything has
   * ended. The loop's body resumes each thread. Each stop is given once, and only while it is one.
   *
   * @example for await (const { thread, stop } of tracee.everyStop()) thread.cont(stop.event ? undefined : stop.signal)
   */
  async *everyStop(options: EveryStopOptions = {}): AsyncGenerator<ThreadStop, void, undefined> {
    const { events = [] } = checkOptions(options, 'options', ['events'])
    const asked = checkList(events, () => 'options.events', checkShownEvent)
    for await (const { task, stop } of everyStop(this.#process, asked)) {
      yield { thread: task.face?.object as TracedThread, stop: stop as StopStatus<TracedThread | Tracee> }
    }
  }

  /**
   * Runs it to its end as if untraced, with its threads and all that is followed from it: signals are delivered and
   * group stops kept. Resolves with its end.
   */
  run(): Promise<ChildExit> {
    return this.#run()
  }

  async #run(beforeEach?: () => Promise<void>): Promise<ChildExit> {
    const passing = passOnAll(this.#process, beforeEach)
    // What was followed may go on after the end.
    await Promise.race([passing, this.exited])
    passing.catch(() => {})
    return this.exited
  }

  /**
   * Stops every thread of this process, not those that it has started. The stops are not shown. A thread in
   * uninterruptible sleep, such as one that waits for its vfork child, stops once it is out of it.
   *
   * @throws (by rejection) TimedOutError after `timeoutMs`: those that have stopped go on.
   */
  async stopAll(options: StopAllOptions = {}): Promise<void> {
    this.#process.mustBeTraced('PTRACE_INTERRUPT')
    using deadline = this.#deadline('stopping the threads of', options)
    await this.#process.halt.begin(deadline.signal)
  }

  /** Resumes just the threads that stopAll() has stopped, each as it went before; those at other stops stay. */
  contAll(): void {
    this.#process.mustBeTraced('ptrace')
    // detach() and handOff() let the threads go themselves. Running ones could not be let go.
    if (this.#process.isLeaving) this.#process.halt.keepNoLonger()
    else this.#process.halt.end()
  }

  /**
   * Ends the tracing of every thread, `PTRACE_DETACH`, from any state, and lets the process run on: each thread with
   * the signal of its stop, the main one with the given one in its place. A child of this process stays one: `exited`
   * resolves. The processes that it has started stay traced.
   *
   * @throws (by rejection) TimedOutError after `timeoutMs`: the threads go on, traced.
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
   * @throws (by rejection) TimedOutError after `timeoutMs`: the threads go on, traced.
   */
  async handOff(options: StopAllOptions = {}): Promise<void> {
    const { timeoutMs } = checkOptions(options, 'options', ['timeoutMs']) as StopAllOptions
    await handOff(this.#process, timeoutMs)
  }

  /** As {@link TracedThread.registers}, of the main thread. */
  registers(): Registers {
    return this.mainThread.registers()
  }

  /** As {@link TracedThread.setRegisters}, of the main thread. */
  setRegisters(registers: RegisterChanges): void {
    this.mainThread.setRegisters(registers)
  }

  /** As {@link TracedThread.registerSet}, of the main thread. */
  registerSet(type: number): Uint8Array {
    return this.mainThread.registerSet(type)
  }

  /** As {@link TracedThread.setRegisterSet}, of the main thread. */
  setRegisterSet(type: number, bytes: Uint8Array): void {
    this.mainThread.setRegisterSet(type, bytes)
  }

  /** As {@link TracedThread.signalInfo}, of the main thread. */
  signalInfo(): SignalInfo {
    return this.mainThread.signalInfo()
  }

  /** As {@link TracedThread.setSignalInfo}, of the main thread. */
  setSignalInfo(info: SignalInfo | Uint8Array): void {
    this.mainThread.setSignalInfo(info)
  }

  /** As {@link TracedThread.syscallInfo}, of the main thread. */
  syscallInfo(): SyscallInfo {
    return this.mainThread.syscallInfo()
  }

  /**
   * Reads memory of the process, even pages without access: so many bytes, or as many as the given buffer holds, into
   * it. Gives fewer bytes where the range leaves mapped memory. Breakpoints are not seen in it.
   *
   * @throws SystemError EFAULT when nothing is mapped at `address`.
   */
  readMemory(address: bigint, into: number | Uint8Array): Uint8Array {
    checkAddress(address)
    if (typeof into === 'number') checkInt(into, 'into')
    this.#process.mustBeTraced('process_vm_readv')
    return readMemory(this.#process, address, into)
  }

  /**
   * Writes memory of the process, even read-only pages, and returns the number of bytes written. Breakpoints stay.
   *
   * @throws SystemError EFAULT when nothing is mapped at `address`.
   */
  writeMemory(address: bigint, data: Uint8Array): number {
    checkAddress(address)
    checkBytes(data, 'data')
    this.#process.mustBeTraced('process_vm_writev')
    return writeMemory(this.#process, address, data)
  }

  /**
   * Sets a breakpoint (int3, or brk on arm64): a thread that comes to `address` stops there with SIGTRAP, before the
   * instruction, with `stop.trap` and the pc at the address. It goes on over the breakpoint; the other threads are kept
   * from running for that instant. Set as often as asked for, it is taken out once each is disposed of. An exec takes
   * it out, too; processes that are forked do not have it.
   *
   * @throws SystemError EFAULT when nothing is mapped at `address`.
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
   * An exec ends it. x64 only.
   *
   * @throws SystemError ESRCH when a thread is not stopped, ENOSPC for a fifth one, EINVAL for an address that is no
   * multiple of the size.
   */
  watch(address: bigint, options: WatchOptions): Disposable {
    checkAddress(address)
    const { size, on } = checkOptions(options, 'options', ['size', 'on']) as unknown as WatchOptions
    this.#process.mustBeTraced('ptrace')
    leaveAtExit(this.#process)
    return this.#process.settings.watch(address, { size, on })
  }

  /**
   * Kills the process, waits for its end and closes its streams; so with all that is followed from it. One that was
   * attached to is let go instead, and what is followed from it, too.
   *
   * @throws (by rejection) SystemError EPERM for a process that became another user.
   */
  override async [Symbol.asyncDispose](): Promise<void> {
    // One that is found from now on is disposed of, too.
    this.#isDisposed = true
    const disposeOfChildren = () => Promise.all([...this.#children.values()].map(child => child[Symbol.asyncDispose]()))
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
    this.unref()
    await disposeOfChildren()
  }

  #deadline(what: string, options: unknown): Deadline {
    const { timeoutMs } = checkOptions(options, 'options', ['timeoutMs']) as StopAllOptions
    const { system } = this.#process
    return new Deadline(system, `${what} process ${this.pid}`, { timeoutMs }, () => takeChanges(system))
  }

  #mainStopped(face: ThreadFace, stop: StopStatus<object>): void {
    callListener(() => face.stopped(stop))
    this.emit('stop', stop as StopStatus<TracedThread | Tracee>)
  }

  #faces(): Faces<TracedProcess> {
    return {
      process: this,
      thread: task => faceOf(task, this, this.#threads),
      follow: child => {
        const tracee = new Tracee(child, this)
        this.#children.set(tracee.pid, tracee)
        // A throw would keep the creator's event, and the child's birth, from all who wait for them.
        callListener(() => this.emit('follow', tracee))
        if (this.#isDisposed) void tracee[Symbol.asyncDispose]().catch(() => {})
      },
    }
  }
}

showBriefly(Tracee.prototype, tracee => {
  const { pid, tracing, threads, stop } = tracee
  return { pid, tracing, threads: threads.size, state: stateOf(stop, processOf(tracee).life.end) }
})
