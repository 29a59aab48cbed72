/** A simulated program's view of its process: system calls as generators. */

import { checkFunction, checkSignal } from '../../system/arguments.ts'
import type { ChildProgram } from '../../system/child-program.ts'
import { isErrno } from '../../system/errors.ts'
import type { Signal } from '../../system/signals.ts'
import type { Limit } from '../calls/own-process.ts'
import { calls } from '../calls/table.ts'
import type { Code, Task } from '../processes/task.ts'
import { begin, type Calling, make, note, type YieldedCall } from './calling.ts'
import type { Cell } from './cell.ts'
import { load, store } from './cell-calls.ts'
import { type MaskChange, ownCalls } from './own-calls.ts'
import { failingGeneratorOf, generatorOf, type Program, refuseAsync } from './program.ts'
import {
  checkAction,
  type GivenHandlerCode,
  type Handler,
  type HandlerAction,
  type HandlerOptions,
  type SignalHandler,
  toHandlerAction,
} from './signal-actions.ts'
import { SystemCalls } from './system-calls.ts'

/** A thread of a simulated process, for its creator. */
export interface SimulatedThread<Result> {
  /** The thread's tid. */
  readonly tid: number
  /** pthread_join(3): waits for the end, and returns the program's result. ESRCH for threads of another process. */
  join(): Calling<Result>
}

/** A program in the kernel's form. */
export function codeOf(program: Program): Code {
  return task => failingGeneratorOf('program', program, () => program(new SimulatedProcess(task)))
}

/** A thread's program, which is its process's: a wrong one fails the call that makes the thread. */
function threadCodeOf(program: Program): Code {
  return task => generatorOf('program', program, () => program(new SimulatedProcess(task)))
}

function handlerCode(handler: SignalHandler): GivenHandlerCode {
  refuseAsync('handler', handler)
  const code = (task: Task, signal: number) =>
    failingGeneratorOf('handler', handler, () => handler(new SimulatedProcess(task), signal)) as Generator<
      unknown,
      void,
      unknown
    >
  return Object.assign(code, { given: handler })
}

/**
 * A process as its program sees it: every synchronous call of System, and the calls about itself.
 *
 * A failed call throws SystemError into the program, an argument of a wrong type or range the error that System throws.
 */
export class SimulatedProcess extends SystemCalls {
  readonly #task: Task

  constructor(task: Task) {
    super(task)
    this.#task = task
  }

  /** getpid(2). */
  get pid(): number {
    return this.#task.process.id
  }

  /** gettid(2). */
  get tid(): number {
    return this.#task.tid
  }

  /** getppid(2). */
  get parentPid(): number {
    return this.#task.process.parent.id
  }

  /** Its arguments; the first is its name. */
  get argv(): readonly string[] {
    return this.#task.process.image.argv
  }

  /** Its environment, as 'KEY=value'. */
  get env(): readonly string[] {
    return this.#task.process.image.env
  }

  /** getcwd(2). */
  get directory(): string {
    return this.#task.process.directory
  }

  /** The world's clock in milliseconds. */
  now(): number {
    return this.#task.kernel.timeFor(this.#task)
  }

  /** fork(2): the child runs a child program, or a simulated program; returns the pid. */
  fork(program: ChildProgram | Program): Calling<number> {
    return typeof program === 'function'
      ? make(this.#task, ownCalls.forkProgram, [codeOf(program)])
      : make(this.#task, calls.fork, [program])
  }

  /**
   * vfork(2): as fork, but this thread sleeps until the child has exec'ed or ended. Only a fatal signal wakes it
   * earlier.
   */
  vfork(program: Program): Calling<number> {
    checkFunction(program, 'program')
    return make(this.#task, ownCalls.vforkProgram, [codeOf(program)])
  }

  /**
   * clone(2): a thread of this process. Returning from its program ends the thread only; `exit` ends the process.
   *
   * @example
   * const thread = yield* process.thread(function* (self) {
   *   yield* self.write(1, Uint8Array.of(1))
   * })
   * yield* thread.join()
   */
  thread<Result>(
    program: (process: SimulatedProcess) => Generator<YieldedCall, Result, never>,
  ): Calling<SimulatedThread<Result>> {
    note(this.#task, 'thread')
    return this.#thread(program)
  }

  *#thread<Result>(
    program: (process: SimulatedProcess) => Generator<YieldedCall, Result, never>,
  ): Calling<SimulatedThread<Result>> {
    const task = this.#task
    begin(task, 'thread')
    checkFunction(program, 'program')
    const code = threadCodeOf(program as Program)
    let made!: Task
    const noted: Code = thread => {
      made = thread
      return code(thread)
    }
    const tid = yield* make(task, ownCalls.clone, [noted])
    return { tid, join: () => join<Result>(task, made) }
  }

  /** exit_group(2). */
  exit(code: number): Calling<never> {
    return make(this.#task, ownCalls.exit, [code])
  }

  /**
   * exit(2) of this thread: the others run on, also if it is the main thread. The last thread's code is the process's.
   */
  exitThread(code: number): Calling<never> {
    return make(this.#task, ownCalls.exitThread, [code])
  }

  /** execve(2): returns only if it fails. The other threads end before it. */
  execve(path: string, argv: readonly string[] = [path], env: readonly string[] = this.env): Calling<void> {
    return make(this.#task, ownCalls.execve, [path, argv, env])
  }

  /** open(2). The only readable and writable file is /dev/null. */
  open(path: string, flags: number): Calling<number> {
    return make(this.#task, ownCalls.open, [path, flags])
  }

  /** chdir(2). */
  chdir(path: string): Calling<void> {
    return make(this.#task, ownCalls.chdir, [path])
  }

  /** PTRACE_TRACEME. */
  traceme(): Calling<void> {
    return make(this.#task, ownCalls.traceme, [])
  }

  /** setsid(2): returns the session's number, which is the pid. */
  setsid(): Calling<number> {
    return make(this.#task, ownCalls.setsid, [])
  }

  /** setpgid(2). A `pid` of 0 is this process; a `group` of 0 is the group with the process's own number. */
  setpgid(pid: number, group: number): Calling<void> {
    return make(this.#task, ownCalls.setpgid, [pid, group])
  }

  /** PR_SET_PDEATHSIG; 0 clears it. */
  setParentDeathSignal(signal: Signal | 0): Calling<void> {
    return make(this.#task, ownCalls.setParentDeathSignal, [signal])
  }

  /** setrlimit(2): the soft limit RLIMIT_NOFILE, in descriptors, or RLIMIT_CORE, in bytes. */
  setLimit(limit: Limit, value: number): Calling<void> {
    return make(this.#task, ownCalls.setLimit, [limit, value])
  }

  /** tgkill(2) of this thread. */
  raise(signal: Signal): Calling<void> {
    return make(this.#task, ownCalls.raise, [signal])
  }

  /** pause(2): fails with EINTR once a handler has run. */
  pause(): Calling<never> {
    return make(this.#task, ownCalls.pause, [])
  }

  /** Sleeps for milliseconds of the world's clock. */
  sleep(ms: number): Calling<void> {
    return make(this.#task, ownCalls.sleep, [ms])
  }

  /** sched_yield(2): lets other tasks step. */
  schedYield(): Calling<void> {
    return make(this.#task, ownCalls.schedYield, [])
  }

  /**
   * sigaction(2): returns the previous action, which can be passed back unchanged. null changes nothing.
   *
   * @example
   * const before = yield* process.sigaction('SIGTERM', 'ignore')
   * yield* process.sigaction('SIGTERM', before)
   */
  sigaction(
    signal: Signal,
    handler: Handler | HandlerAction | null,
    options: HandlerOptions = {},
  ): Calling<HandlerAction> {
    note(this.#task, 'sigaction')
    return this.#sigaction(signal, handler, options)
  }

  *#sigaction(
    signal: Signal,
    handler: Handler | HandlerAction | null,
    options: HandlerOptions,
  ): Calling<HandlerAction> {
    begin(this.#task, 'sigaction')
    const action = handler === null ? null : checkAction(handler, options, handlerCode)
    const number = checkSignal(signal)
    const before = yield* make(this.#task, ownCalls.sigaction, [number, action])
    return toHandlerAction(before)
  }

  /** sigprocmask(2): returns the signals blocked before. */
  sigprocmask(how: MaskChange, signals: readonly Signal[]): Calling<number[]> {
    return make(this.#task, ownCalls.sigprocmask, [how, signals])
  }

  /** Reads shared memory. */
  load<Value>(cell: Cell<Value>): Calling<Value> {
    return load(this.#task, cell)
  }

  /** Writes shared memory. */
  store<Value>(cell: Cell<Value>, value: Value): Calling<void> {
    return store(this.#task, cell, value)
  }
}

/** Waits for a thread's end, in `task`. */
function join<Result>(task: Task, thread: Task): Calling<Result> {
  note(task, 'join')
  return joining(task, thread)
}

/** glibc continues the wait after a handler, whatever its flags. */
function* joining<Result>(task: Task, thread: Task): Calling<Result> {
  begin(task, 'join')
  for (;;) {
    try {
      yield* make(task, ownCalls.join, [thread])
      return thread.returned as Result
    } catch (error) {
      if (!isErrno(error, 'EINTR')) throw error
    }
  }
}
