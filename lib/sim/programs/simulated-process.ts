/** What a simulated program sees of its process: system calls as generators. */

import { checkOptions, checkSignal } from '../../system/arguments.ts'
import type { CallName } from '../../system/checked-calls.ts'
import type { ChildProgram } from '../../system/child-program.ts'
import type { Signal } from '../../system/signals.ts'
import type { System } from '../../system/system.ts'
import { isFailure } from '../base/results.ts'
import { SignalSet } from '../base/signal-set.ts'
import { simulatedHint } from '../base/simulated-hint.ts'
import * as own from '../calls/own-process.ts'
import { calls, failure, nothing, type SystemCall, systemCall } from '../calls/table.ts'
import { forkProgram } from '../processes/fork.ts'
import { defaultAction, type HandlerCode } from '../processes/process.ts'
import type { Code, Request, Task } from '../processes/task.ts'
import { type Cell, loadRequest, storeRequest } from './cell.ts'
import type { Program } from './program.ts'

/** A call of a program: `yield*` gives its result. */
// biome-ignore lint/suspicious/noExplicitAny: what a yield gives back is the kernel's affair
export type Calling<Result> = Generator<unknown, Result, any>

type AsGenerators = {
  readonly [Name in Exclude<CallName, 'fork'>]: (...args: Parameters<System[Name]>) => Calling<ReturnType<System[Name]>>
}

/** How a signal is to be handled, beyond what handles it. */
export interface HandlerOptions {
  /** SA_RESTART: calls it interrupts are made again. */
  readonly restart?: boolean
  /** SA_NODEFER: the signal itself is not blocked meanwhile. */
  readonly noDefer?: boolean
  /** SA_RESETHAND: back to the default once it ran. */
  readonly once?: boolean
  /** SA_NOCLDWAIT: ended children vanish. */
  readonly noChildWait?: boolean
  /** SA_NOCLDSTOP: no SIGCHLD for stops. */
  readonly noChildStop?: boolean
  /** Signals blocked meanwhile. */
  readonly mask?: readonly Signal[]
}

const handlerOptionNames: readonly (keyof HandlerOptions)[] = [
  'restart',
  'noDefer',
  'once',
  'noChildWait',
  'noChildStop',
  'mask',
]

/** A function of a program that runs when a signal arrives. */
export type SignalHandler = (process: SimulatedProcess, signal: number) => Generator<unknown, void, unknown>

/** What handles a signal: the default action, nothing, or a function of the program. */
export type Handler = 'default' | 'ignore' | SignalHandler

const actions = {
  exit: systemCall('exit_group', (code: number) => task => own.exit(task, code)),
  execve: systemCall(
    'execve',
    (path: string, argv: readonly string[], env: readonly string[]) => task => own.execve(task, path, argv, env),
    nothing,
    ([path]) => ({ path, hint: simulatedHint }),
  ),
  open: systemCall(
    'open',
    (path: string, flags: number) => task => own.open(task, path, flags),
    undefined,
    ([path]) => ({ path }),
  ),
  chdir: systemCall(
    'chdir',
    (path: string) => task => own.changeDirectory(task, path),
    nothing,
    ([path]) => ({ path }),
  ),
  traceme: systemCall('ptrace', () => own.traceMe, nothing),
  setsid: systemCall('setsid', () => own.newSession),
  setpgid: systemCall('setpgid', (pid: number, group: number) => task => own.setGroup(task, pid, group), nothing),
  setParentDeathSignal: systemCall('prctl', (signal: number) => task => own.setDeathSignal(task, signal), nothing),
  setLimit: systemCall(
    'setrlimit',
    (limit: own.Limit, value: number) => task => own.setLimit(task, limit, value),
    nothing,
  ),
  raise: systemCall('tgkill', (signal: number) => task => own.raise(task, signal), nothing),
  pause: systemCall('pause', () => own.pause),
  sleep: systemCall('nanosleep', (ms: number) => task => own.sleep(task, ms), nothing),
  thread: systemCall('clone', (program: Program) => task => own.thread(task, codeOf(program))),
  forkProgram: systemCall('fork', (program: Program) => task => forkProgram(task, codeOf(program))),
}

/** A program as the kernel runs it. */
export function codeOf(program: Program): Code {
  return task => program(new SimulatedProcess(task))
}

function handlerCode(handler: SignalHandler): HandlerCode {
  return (task, signal) => handler(new SimulatedProcess(task), signal)
}

/** Makes a call: the program is suspended until the kernel has carried it out. */
function* make<Args extends unknown[], Result>(call: SystemCall<Args>, args: Args): Calling<Result> {
  const request: Request = { call, args, act: call.prepare(...args) }
  const result: unknown = yield request
  if (isFailure(result)) throw failure(call, result, args)
  return call.finish(result) as Result
}

/** The calls about a program's own process. */
class OwnProcess {
  readonly #task: Task

  constructor(task: Task) {
    this.#task = task
  }

  get pid(): number {
    return this.#task.process.id
  }

  get tid(): number {
    return this.#task.tid
  }

  get parentPid(): number {
    return this.#task.process.parent.id
  }

  get argv(): readonly string[] {
    return this.#task.process.image.argv
  }

  get env(): readonly string[] {
    return this.#task.process.image.env
  }

  get directory(): string {
    return this.#task.process.directory
  }

  /** Milliseconds of the world's clock. */
  now(): number {
    return this.#task.kernel.timeFor(this.#task)
  }

  /** fork(2): the child runs a child program, or a program of its own; its pid. */
  fork(program: ChildProgram | Program): Calling<number> {
    return typeof program === 'function' ? make(actions.forkProgram, [program]) : make(calls.fork, [program])
  }

  /** A thread of this process: its number. */
  thread(program: Program): Calling<number> {
    return make(actions.thread, [program])
  }

  /** exit_group(2). */
  exit(code: number): Calling<never> {
    return make(actions.exit, [code])
  }

  /** execve(2): does not return, unless it fails. */
  execve(path: string, argv: readonly string[] = [path], env: readonly string[] = this.env): Calling<void> {
    return make(actions.execve, [path, argv, env])
  }

  /** open(2): /dev/null is there. */
  open(path: string, flags: number): Calling<number> {
    return make(actions.open, [path, flags])
  }

  chdir(path: string): Calling<void> {
    return make(actions.chdir, [path])
  }

  /** PTRACE_TRACEME. */
  traceme(): Calling<void> {
    return make(actions.traceme, [])
  }

  setsid(): Calling<number> {
    return make(actions.setsid, [])
  }

  setpgid(pid: number, group: number): Calling<void> {
    return make(actions.setpgid, [pid, group])
  }

  /** PR_SET_PDEATHSIG; 0 clears it. */
  setParentDeathSignal(signal: Signal | 0): Calling<void> {
    return make(actions.setParentDeathSignal, [checkSignal(signal)])
  }

  /** The soft RLIMIT_NOFILE or RLIMIT_CORE. */
  setLimit(limit: own.Limit, value: number): Calling<void> {
    return make(actions.setLimit, [limit, value])
  }

  /** tgkill(2) of this thread. */
  raise(signal: Signal): Calling<void> {
    return make(actions.raise, [checkSignal(signal)])
  }

  /** pause(2): fails with EINTR once a handler has run. */
  pause(): Calling<never> {
    return make(actions.pause, [])
  }

  /** Sleeps for milliseconds of the world's clock. */
  sleep(ms: number): Calling<void> {
    return make(actions.sleep, [ms])
  }

  /** sigaction(2). */
  *sigaction(signal: Signal, handler: Handler, options: HandlerOptions = {}): Calling<void> {
    const given = checkOptions(options, 'options', handlerOptionNames) as HandlerOptions
    const mask = SignalSet.of((given.mask ?? []).map(each => checkSignal(each)))
    const code = typeof handler === 'string' ? handler : handlerCode(handler)
    const action = { ...defaultAction, ...given, handler: code, mask }
    const call = systemCall('rt_sigaction', (number: number) => task => own.sigaction(task, number, action), nothing)
    yield* make(call, [checkSignal(signal)])
  }

  /** sigprocmask(2): the signals that were blocked before. */
  *sigprocmask(how: 'block' | 'unblock' | 'set', signals: readonly Signal[]): Calling<number[]> {
    const numbers = signals.map(each => checkSignal(each))
    const call = systemCall('rt_sigprocmask', () => task => own.sigprocmask(task, how, numbers))
    return yield* make(call, [])
  }

  /** Reads shared memory. */
  *load<Value>(cell: Cell<Value>): Calling<Value> {
    return (yield loadRequest(cell)) as Value
  }

  /** Writes shared memory. */
  *store<Value>(cell: Cell<Value>, value: Value): Calling<void> {
    yield storeRequest(cell, value)
  }
}

for (const [name, call] of Object.entries(calls)) {
  if (name === 'fork') continue
  Object.defineProperty(OwnProcess.prototype, name, {
    value: (...args: unknown[]) => make(call as SystemCall<unknown[]>, args),
  })
}

/** A process as its program sees it: every synchronous call of System, and those about itself. */
export type SimulatedProcess = OwnProcess & AsGenerators

export const SimulatedProcess = OwnProcess as unknown as new (task: Task) => SimulatedProcess
