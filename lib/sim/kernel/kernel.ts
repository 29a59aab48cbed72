/** The simulated kernel itself: its processes, the run queue, and the steps tasks take. */

import type { Clock } from '../base/clock.ts'
import { removeFrom } from '../base/remove-from.ts'
import { blocked, isRestart } from '../base/results.ts'
import type { Actor, Choice, Scheduler } from '../base/scheduler.ts'
import { SIGCHLD, SIGPIPE } from '../base/signal-numbers.ts'
import { youngArray } from '../base/young-array.ts'
import { DescriptorTable } from '../files/descriptor-table.ts'
import type { OpenFile } from '../files/open-file.ts'
import { type BaseTree, FileTree } from '../processes/file-tree.ts'
import type { Machine } from '../processes/machine.ts'
import { fromKernel } from '../processes/pending-signals.ts'
import { Process } from '../processes/process.ts'
import { sendToTask } from '../processes/signals.ts'
import { type Action, type CallRow, type Code, Task } from '../processes/task.ts'
import { EventLoop } from './event-loop.ts'
import { tryAgain } from './retry.ts'
import { deliverToHost, step } from './step.ts'
import { Tracepoints } from './tracepoints.ts'

const initPid = 1
const shellPid = 2
const firstPid = 100

/** An error that a program did not catch, which ended its process by SIGABRT. */
export interface Crash {
  /** The process. */
  readonly pid: number
  /** What its program threw. */
  readonly error: unknown
}

/** Faults that the scheduler may inject. */
export interface Faults {
  /** Whether the bound allows one more. */
  readonly isPossible: boolean
  /** The faults that happen between calls: processes killed. */
  kills(): readonly Actor[]
  /** Carries out a chosen one. */
  make(kill: Actor): void
  /** Carries out a call, or the fault the scheduler chooses in its place. */
  perform(task: Task, call: CallRow, act: Action, args: readonly unknown[]): unknown
}

/** A run of an exploration: its world moves only by {@link EventLoop.move}, and which waiter wakes is a choice. */
export class ExploredRun {
  /** Identifies the exploration; several may be under way at once. */
  readonly runner: object
  readonly faults: Faults | null
  /** The run has ended: the world makes no more moves, and calls of its host throw. */
  isOver = false
  /** Calls and awaits of the host so far. */
  hostCalls = 0

  constructor(runner: object, faults: Faults | null = null) {
    this.runner = runner
    this.faults = faults
  }
}

/** The parts a world is made of. */
interface KernelParts {
  readonly clock: Clock
  readonly scheduler: Scheduler
  /** RLIMIT_NOFILE and RLIMIT_CORE of the host. */
  readonly nofile: number
  readonly core: number
  /** Exempt from the per-user limits on pipes, as root is. */
  readonly privileged: boolean
  /** The paths that exist from the start. */
  readonly tree: BaseTree<Code>
  /** The error thrown from a host call that can never return. */
  readonly deadlockError: (kernel: Kernel) => Error
}

/** The host, the process that the calling JavaScript is, has been killed: its calls can no longer return. */
export class HostKilledError extends Error {
  override readonly name = 'HostKilledError'
  readonly code = 'ERR_HOST_KILLED'
  constructor(signal: number) {
    super(`the simulated host process was ended by signal ${signal}`)
  }
}

/** Code left over from a finished run calls that run's world. */
export class WorldOverError extends Error {
  override readonly name = 'WorldOverError'
  readonly code = 'ERR_WORLD_OVER'
  readonly #runner: object

  constructor(runner: object) {
    super('the run of this simulated world is over: what calls it now is no part of any run, a timer perhaps')
    this.#runner = runner
  }

  isFrom(runner: object): boolean {
    return this.#runner === runner
  }
}

/** One simulated world. */
export class Kernel implements Machine {
  readonly clock: Clock
  readonly privileged: boolean
  readonly trace = new Tracepoints()
  readonly fileTree: FileTree<Code>
  readonly processes = new Map<number, Process>()
  readonly tasks = new Map<number, Task>()
  readonly loop: EventLoop
  /** Takes in orphans, and reaps them. */
  readonly init: Process
  /** The host's parent, so that the host's group is no orphan. */
  readonly shell: Process
  /** The process that the calling JavaScript is. */
  readonly host: Task
  /** Errors that programs did not catch, in order. */
  readonly crashes = youngArray<Crash>()
  /** The run this world was made for; null outside explorations. */
  run: ExploredRun | null = null
  pipeSlots = 0
  acting: Task
  readonly #scheduler: Scheduler
  readonly #deadlockError: KernelParts['deadlockError']
  /** Tasks that can step, in the order of creation. */
  readonly #runnable = youngArray<Task>()
  readonly #unfinished = youngArray<OpenFile>()
  #nextActor = 0
  #nextObject = 1
  #nextPid = firstPid

  constructor(parts: KernelParts) {
    this.clock = parts.clock
    this.privileged = parts.privileged
    this.fileTree = new FileTree(parts.tree)
    this.#scheduler = parts.scheduler
    this.#deadlockError = parts.deadlockError
    this.loop = new EventLoop(this)
    this.init = this.#ancestor(initPid, null, '/sbin/init')
    this.shell = this.#ancestor(shellPid, this.init, '/bin/sh')
    this.shell.session = this.shell.group = shellPid
    const image = { path: 'host', argv: ['host'], env: [] }
    const process = new Process(this, this.newPid(), this.shell, new DescriptorTable(parts.nofile), image)
    process.group = process.id
    process.coreLimit = parts.core
    process.ignores(SIGPIPE)
    this.host = new Task(this, process.id, process, null)
    this.host.state = 'running'
    this.acting = this.host
    this.#adopt(process, this.host)
  }

  /** An ancestor of the host: a process that never steps and ignores SIGCHLD, so its children vanish. */
  #ancestor(pid: number, parent: Process | null, path: string): Process {
    const process = new Process(this, pid, parent, new DescriptorTable(0), { path, argv: [path], env: [] })
    process.ignores(SIGCHLD)
    this.#adopt(process, new Task(this, pid, process, null))
    return process
  }

  #adopt(process: Process, leader: Task): void {
    process.leader = leader
    process.tasks.push(leader)
    this.processes.set(process.id, process)
    this.tasks.set(leader.tid, leader)
    if (process.parent !== process) process.parent.children.push(process)
  }

  newPid(): number {
    return this.#nextPid++
  }

  newActorId(): number {
    return this.#nextActor++
  }

  newObjectId(): number {
    return this.#nextObject++
  }

  get choosesWaiters(): boolean {
    return this.run !== null
  }

  /** The faults of the explored run, if it has any. */
  get faults(): Faults | null {
    return this.run === null ? null : this.run.faults
  }

  /** Whether calls are traced or may fail by a fault, for which their arguments have to be known. */
  get watchesCalls(): boolean {
    return this.trace.calling !== null || this.faults !== null
  }

  /** Counts a host call or a new await. */
  hostCalled(): void {
    if (this.run !== null) this.run.hostCalls++
  }

  raise(task: Task, signal: number): void {
    sendToTask(task, signal, { code: fromKernel, pid: 0, uid: 0 })
  }

  crashed(process: Process, error: unknown): void {
    this.crashes.push({ pid: process.id, error })
  }

  timeFor(task: Task): number {
    this.trace.clockRead?.(task)
    return this.clock.now()
  }

  /** Asks the scheduler; every choice passes through here. */
  choose(choice: Choice): number {
    return this.#scheduler.choose(choice)
  }

  get runnable(): readonly Task[] {
    return this.#runnable
  }

  makeRunnable(task: Task): void {
    if (task.state === 'runnable' || task.state === 'running') return
    if (task.state === 'stopped' || task.state === 'traced') this.trace.letGo?.(task)
    task.state = 'runnable'
    let index = this.#runnable.length
    while (index > 0 && this.#runnable[index - 1]!.id > task.id) index--
    this.#runnable.splice(index, 0, task)
    this.loop.stir()
  }

  park(task: Task, state: 'stopped' | 'traced' | 'zombie', code: number): void {
    this.trace.parked?.(task, state, code)
    // A thread ended by another thread's exec may still be in the run queue.
    if (task.state === 'runnable') this.#take(task)
    task.state = state
  }

  stir(): void {
    this.loop.stir()
  }

  finishLater(file: OpenFile): void {
    this.#unfinished.push(file)
  }

  #finishFiles(): void {
    while (this.#unfinished.length > 0) for (const file of this.#unfinished.splice(0).reverse()) file.finish()
  }

  /** Makes a task take one step: a system call, and the program's own code up to the next. */
  step(task: Task): void {
    this.trace.moves?.(task, task)
    this.#take(task)
    this.acting = task
    step(task)
    this.#finishFiles()
    this.acting = this.host
    if (task.state !== 'running') return
    task.state = 'waiting'
    this.makeRunnable(task)
  }

  #take(task: Task): void {
    removeFrom(this.#runnable, task)
    task.state = 'running'
  }

  /** Carries out a system call of the host. Other tasks may step before it, and while it is blocked. */
  hostCall(call: CallRow, act: Action, args: readonly unknown[]): unknown {
    const { host, run } = this
    if (run !== null) {
      if (run.isOver) throw new WorldOverError(run.runner)
      run.hostCalls++
    }
    if (this.#runnable.length > 0 || this.clock.next() !== undefined || this.faults !== null) this.#letOthersStep()
    if (host.exiting) throw new HostKilledError(host.exitStatus & 0x7f)
    this.trace.moves?.(host, host)
    const result = this.perform(host, call, act, args)
    this.#finishFiles()
    return result === blocked || host.signalPending
      ? this.#finishHostCall(() => this.perform(host, call, act, args), result)
      : result
  }

  perform(task: Task, call: CallRow, act: Action, args: readonly unknown[]): unknown {
    return this.watchesCalls ? this.#performWatched(task, call, act, args) : act(task)
  }

  #performWatched(task: Task, call: CallRow, act: Action, args: readonly unknown[]): unknown {
    const { trace, faults } = this
    trace.calling?.(task, call, args)
    const result = faults === null ? act(task) : faults.perform(task, call, act, args)
    trace.answered?.(task, result)
    return result
  }

  #letOthersStep(): void {
    this.clock.fireDue()
    while (this.#runnable.length > 0 || this.faults?.isPossible) {
      const chosen = this.chooseActor([this.host, ...this.#runnable])
      if (chosen === this.host) return
      this.move(chosen)
    }
  }

  #finishHostCall(again: () => unknown, first: unknown): unknown {
    const { host } = this
    let result = first
    for (;;) {
      while (result === blocked) {
        this.#runUntilHostCan()
        result = tryAgain(host)
        this.#finishFiles()
      }
      for (const work = deliverToHost(host); !work.next().done; ) {
        if (host.exiting) continue
        this.#runUntilHostCan()
      }
      if (host.state === 'zombie' || host.state === 'dead') throw new HostKilledError(host.exitStatus & 0x7f)
      if (!isRestart(result)) return result
      result = again()
      this.#finishFiles()
    }
  }

  /** Lets other tasks step until the host is woken and chosen; throws if neither tasks nor timers can bring that. */
  #runUntilHostCan(): void {
    for (;;) {
      this.clock.fireDue()
      if (this.#runnable.length === 0) {
        if (!this.letTimePass()) throw this.#deadlock()
        continue
      }
      const chosen = this.chooseActor(this.#runnable)
      if (chosen === this.host) {
        this.trace.moves?.(chosen, this.host)
        this.#take(this.host)
        return
      }
      this.move(chosen)
    }
  }

  /** Asks the scheduler which actor moves. Possible faults are options too; a single option is no choice. */
  chooseActor(options: readonly Actor[]): Actor {
    const faults = this.faults?.isPossible ? this.faults.kills() : []
    const all = faults.length === 0 ? options : [...options, ...faults]
    return all.length === 1 ? all[0]! : all[this.choose({ kind: 'step', options: all })]!
  }

  /** Makes a move: the step of a task, or a fault. */
  move(actor: Actor): void {
    if (actor instanceof Task) {
      this.step(actor)
    } else {
      this.trace.moves?.(actor, null)
      this.faults!.make(actor)
    }
  }

  /** With no task able to step: waits until the next timer, unless a fault is chosen. False when there is no timer. */
  letTimePass(): boolean {
    const next = this.clock.next()
    if (next === undefined) return false
    const chosen = this.chooseActor([time])
    if (chosen === time) this.clock.waitUntil(next)
    else this.move(chosen)
    return true
  }

  /** Ends the host's blocked call, so that the caller can go on after the error. */
  #deadlock(): Error {
    const error = this.#deadlockError(this)
    // Any other move might have prevented the deadlock.
    this.trace.worldChanged?.()
    const { host } = this
    host.wait?.leave()
    host.unblock()
    host.state = 'running'
    return error
  }

  /** Lets tasks step until none can without time passing or a call of the host. */
  settle(): void {
    this.clock.fireDue()
    while (this.#runnable.length > 0) this.move(this.chooseActor(this.#runnable))
  }
}

/** The option that time passes, beside a possible fault. */
const time: Actor = { id: -1, label: 'time passes' }
