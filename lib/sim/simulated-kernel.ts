/** The simulated kernel's public interface. */

import {
  checkBoolean,
  checkFinite,
  checkFunction,
  checkNumber,
  checkObject,
  checkOptions,
  checkString,
  checkText,
  invalidType,
  invalidValue,
  outOfRange,
} from '../system/arguments.ts'
import { constants } from '../system/constants.ts'
import { provideSimulated } from '../system/simulated-system.ts'
import type { System } from '../system/system.ts'
import { RealClock, VirtualClock } from './base/clock.ts'
import { RandomScheduler, RoundRobinScheduler, type Scheduler } from './base/scheduler.ts'
import { ExternalOpenFile } from './files/external-file.ts'
import { NullDevice } from './files/null-device.ts'
import { checkExternalFile, type ExternalFile } from './files/outside-answers.ts'
import { type Blocked, blockedTasks, deadlockError } from './findings/deadlock.ts'
import { HostSystem } from './host/host-system.ts'
import { type ProgramRun, type RunOptions, runProgram } from './host/run-program.ts'
import { checkHostActs } from './kernel/host-acts.ts'
import { type Crash, Kernel } from './kernel/kernel.ts'
import { baseTree } from './processes/file-tree.ts'
import { builtinPrograms } from './programs/builtin.ts'
import { Cell, CellsOwner } from './programs/cell.ts'
import type { Program } from './programs/program.ts'
import { codeOf } from './programs/simulated-process.ts'

/** The options of a simulated world. */
export interface SimulatedKernelOptions {
  /** The seed of a random schedule; without it, tasks take turns. */
  readonly seed?: number
  /** 'virtual' (the default): time jumps when every task waits; 'real': time passes as outside. */
  readonly clock?: 'virtual' | 'real'
  /** Programs by path, besides the builtin true, false, echo, cat and sleep of /bin. */
  readonly programs?: Readonly<Record<string, Program>>
  /** Makes every scheduling choice, in place of `seed`. Each answer is checked. */
  readonly scheduler?: Scheduler
  /** Outside files for the host's descriptors 0 to 2; by default /dev/null. */
  readonly stdio?: { readonly [Fd in 0 | 1 | 2]?: ExternalFile }
  /** The host's RLIMIT_NOFILE (1024), and RLIMIT_CORE in bytes (0). */
  readonly limits?: { readonly nofile?: number; readonly core?: number }
  /** Whether the host is exempt from a user's limits on pipes, as root is (true). */
  readonly privileged?: boolean
}

const optionNames: readonly (keyof SimulatedKernelOptions)[] = [
  'seed',
  'clock',
  'programs',
  'scheduler',
  'stdio',
  'limits',
  'privileged',
]

/** The options of a cell. */
export interface CellOptions {
  /** The name for reports. */
  readonly name?: string
  /** Whether its accesses are atomic (false). */
  readonly atomic?: boolean
}

const cellOptionNames: readonly (keyof CellOptions)[] = ['name', 'atomic']

/** The kernel behind a world, for exploration and recording. Not public. */
export let kernelOf: (world: SimulatedKernel) => Kernel
/** Ends a world's explored run. Host calls then fail. Its cells become plain variables that keep nothing alive. */
export let endRun: (world: SimulatedKernel) => void

const tree = baseTree(
  Object.fromEntries(Object.entries(builtinPrograms).map(([path, program]) => [path, codeOf(program)])),
)

function checkLimit(value: unknown, name: string): number {
  const limit = checkNumber(value, name)
  if (limit === Number.POSITIVE_INFINITY || (Number.isSafeInteger(limit) && limit >= 0)) return limit
  throw outOfRange(name, 'an integer >= 0, or Infinity', value)
}

/** The options, each read once and checked, with its default. */
function checkKernelOptions(options: unknown) {
  const given = checkOptions(options, 'options', optionNames) as { [Name in keyof SimulatedKernelOptions]: unknown }
  const { clock = 'virtual', seed, scheduler, privileged = true, stdio = {}, programs = {} } = given
  const { nofile = 1024, core = 0 } = checkOptions(given.limits ?? {}, 'options.limits', ['nofile', 'core'])
  if (clock !== 'virtual' && clock !== 'real') throw invalidValue('options.clock', "must be 'virtual' or 'real'", clock)
  if (scheduler !== undefined)
    checkFunction(checkObject(scheduler, 'options.scheduler').choose, 'options.scheduler.choose')
  const files = checkOptions(stdio, 'options.stdio', ['0', '1', '2'])
  for (const [fd, file] of Object.entries(files))
    if (file !== undefined) checkExternalFile(file, `options.stdio[${fd}]`)
  return {
    clock,
    seed: seed === undefined ? undefined : checkFinite(seed, 'options.seed'),
    scheduler: scheduler as Scheduler | undefined,
    limits: { nofile: checkLimit(nofile, 'options.limits.nofile'), core: checkLimit(core, 'options.limits.core') },
    privileged: checkBoolean(privileged, 'options.privileged'),
    stdio: files as NonNullable<SimulatedKernelOptions['stdio']>,
    programs: checkObject(programs, 'options.programs') as Record<string, Program>,
  }
}

/** One simulated world: a Linux kernel's pipes, sockets, epolls, descriptors and processes. */
export class SimulatedKernel {
  /** The process of the calling JavaScript. It ignores SIGPIPE, as Node does. */
  readonly host: System
  readonly #kernel: Kernel
  readonly #cells: CellsOwner

  static {
    kernelOf = world => {
      const given: unknown = world
      if (typeof given !== 'object' || given === null || !(#kernel in given))
        throw invalidType('kernel', 'an instance of SimulatedKernel', given)
      return world.#kernel
    }
    endRun = world => {
      world.#kernel.run!.isOver = true
      world.#cells.kernel = null
    }
  }

  /** @throws TypeError or RangeError, with Node's codes, for an unknown or invalid option. */
  constructor(options: SimulatedKernelOptions = {}) {
    const { clock, seed, scheduler, limits, privileged, stdio, programs } = checkKernelOptions(options)
    this.#kernel = new Kernel({
      clock: clock === 'virtual' ? new VirtualClock() : new RealClock(),
      scheduler: scheduler ?? (seed === undefined ? new RoundRobinScheduler() : new RandomScheduler(seed)),
      nofile: limits.nofile,
      core: limits.core,
      privileged,
      tree,
    })
    this.#cells = new CellsOwner(this.#kernel)
    this.#openStdio(stdio)
    for (const [path, program] of Object.entries(programs)) this.install(path, program)
    this.host = new HostSystem(this.#kernel, deadlockError)
  }

  #openStdio(outside: NonNullable<SimulatedKernelOptions['stdio']>): void {
    const kernel = this.#kernel
    const { descriptors } = kernel.host.process
    for (const fd of [0, 1, 2] as const) {
      const file = outside[fd]
      const opened = file === undefined ? new NullDevice(kernel, constants.O_RDWR) : new ExternalOpenFile(kernel, file)
      descriptors.replace(fd, opened, false)
    }
  }

  /**
   * Installs a program in the file tree, replacing any file at the path.
   *
   * @throws TypeError (ERR_INVALID_ARG_VALUE) for a path of no file: one that ends with a slash, names a directory, or
   * leads through a file.
   */
  install(path: string, program: Program): void {
    if (/^$|\/$/.test(checkString(path, 'path'))) throw invalidValue('path', 'must be the path of a file', path)
    checkFunction(program, 'program')
    this.#kernel.trace.worldUsed?.()
    this.#kernel.fileTree.install(path, codeOf(program))
  }

  /**
   * A variable in memory that programs share, and that the host accesses by `value`. Reports show its name. The options
   * are `{ atomic, name }`, or the name alone.
   *
   * Accesses to an atomic cell never race. A load comes after everything that precedes the store that it reads (release
   * and acquire).
   *
   * explore() finds races: two accesses, at least one of them a store, that nothing orders. Calls order accesses if one
   * task learns from them about the other:
   *
   * - a byte or message read, an end of file, the room that a writer waited for;
   * - readiness that poll, epoll_wait or ready() reports;
   * - a signal, a fork, the start of a thread;
   * - a stop or an end that a wait reports, a tracer's continuation.
   *
   * The passing of time orders nothing.
   *
   * @example
   * const prepared = kernel.cell(false, 'prepared')
   * kernel.install('/bin/child', function* (process) {
   *   yield* process.store(prepared, true)
   *   yield* process.write(1, Uint8Array.of(1))
   * })
   * // The host, once it has read that byte: prepared.value is true, and there is no race.
   */
  cell<Value>(value: Value, options: string | CellOptions = {}): Cell<Value> {
    const named = typeof options === 'string' ? { name: options } : options
    const { name, atomic = false } = checkOptions(named, 'options', cellOptionNames)
    const shown = name === undefined ? undefined : checkText(name, 'options.name')
    const isAtomic = checkBoolean(atomic, 'options.atomic')
    return new Cell(this.#cells, this.#kernel.newObjectId(), value, shown, isAtomic)
  }

  /**
   * Runs a program, or the one at a path, as a child of the host until it ends. Other processes run meanwhile.
   *
   * @throws SystemError if a fork or an exec fails, SimulatedDeadlockError (ERR_DEADLOCK) if the program can never end.
   *
   * @example
   * const { status, crash, stdout } = kernel.run(function* (process) {
   *   yield* process.write(1, new TextEncoder().encode(`hello ${process.argv[1]}\n`))
   *   return 7
   * }, { argv: ['greet', 'world'] })
   * // status.code is 7, stdout 'hello world\n', crash null.
   */
  run(program: Program | string, options: RunOptions = {}): ProgramRun {
    checkHostActs(this.#kernel, 'kernel.run()', 'yield* process.fork(…)')
    if (typeof program === 'string')
      return runProgram(this.#kernel, this.host, checkString(program, 'program'), options)
    if (typeof program !== 'function') throw invalidType('program', 'a function or a path', program)
    const path = `/run/${/^[\w-]+$/.exec(program.name)?.[0] ?? 'program'}`
    this.install(path, program)
    return runProgram(this.#kernel, this.host, path, options)
  }

  /** The waiting tasks: what each waits on, and which processes could end the wait. Explains a deadlock. */
  blocked(): Blocked[] {
    this.#kernel.trace.worldUsed?.()
    return blockedTasks(this.#kernel)
  }

  /** Lets processes step until none can go on unless time passes or the host acts. */
  settle(): void {
    checkHostActs(this.#kernel, 'kernel.settle()', 'yield* process.schedYield()')
    this.#kernel.settle()
  }

  /** The uncaught errors of simulated programs. Each ended its process by SIGABRT. */
  get crashes(): readonly Crash[] {
    return this.#kernel.crashes
  }
}

// In a bundle, openSystem('simulated') works only because this module registers itself here.
provideSimulated(stdio => new SimulatedKernel({ clock: 'real', stdio }).host)
