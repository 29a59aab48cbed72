/** The simulated kernel itself: its processes, who can run, and the steps they take. */

import type { Clock } from '../base/clock.ts'
import { blocked, isRestart } from '../base/results.ts'
import type { Actor, Choice, Scheduler } from '../base/scheduler.ts'
import { youngArray } from '../base/young-array.ts'
import type { FaultInjector } from '../explore/faults.ts'
import { DescriptorTable } from '../files/descriptor-table.ts'
import type { OpenFile } from '../files/open-file.ts'
import { deadlockError } from '../findings/deadlock.ts'
import type { HappensBefore } from '../findings/happens-before.ts'
import { FileTree } from '../processes/file-tree.ts'
import { Process } from '../processes/process.ts'
import { SIGCHLD, SIGPIPE } from '../processes/signals.ts'
import { Task } from '../processes/task.ts'
import { type Cell, CellsOwner } from '../programs/cell.ts'
import { SimulatedProcess } from '../programs/simulated-process.ts'
import { EventLoop } from './event-loop.ts'
import type { KernelObserver } from './observer.ts'
import { tryAgain } from './retry.ts'
import { deliverToHost, step } from './step.ts'

const initPid = 1
const shellPid = 2
const firstPid = 100

/** An error a program did not catch: it ended by SIGABRT. */
export interface Crash {
  /** The process that ended. */
  readonly pid: number
  /** What its program threw. */
  readonly error: unknown
}

/** Anything that tasks share, and by which their steps depend on each other. */
export interface KernelObject {
  readonly id: number
}

/**
 * What of an object is touched: all; of a process only what a wait of its parent sees; of a number of holders that it was lowered, without coming
 * near to none: that matters to who lowers it next, and not the other way round.
 */
export type TouchAspect = 'all' | 'state' | 'lowered'

/** What tasks share besides files, cells and processes. */
const numbers: KernelObject = { id: -1 }
const groups: KernelObject = { id: -2 }
// Below these the numbers of threads, and those of files, are counted downwards.
const newsOfThread = -1000
const holdersOfFile = -1_000_000_000
const everything: KernelObject = { id: 0 }

/** A system call by its C name, and by System's. */
export interface NamedCall {
  readonly name: string
  readonly method?: string | undefined
}

/** What a world is made of. */
export interface KernelParts {
  readonly clock: Clock
  readonly scheduler: Scheduler
  /** RLIMIT_NOFILE and RLIMIT_CORE of the host. */
  readonly nofile: number
  readonly core: number
  /** Free of the limits on a user's pipes, as root is. */
  readonly privileged: boolean
}

/** The process that the calling JavaScript is was killed; nothing it calls can be answered any more. */
export class HostKilledError extends Error {
  override readonly name = 'HostKilledError'
  readonly code = 'ERR_HOST_KILLED'
  constructor(signal: number) {
    super(`the simulated host process was ended by signal ${signal}`)
  }
}

/** The run that this world was made for is over: what is left of its host has no say any more. */
export class WorldOverError extends Error {
  override readonly name = 'WorldOverError'
  readonly code = 'ERR_WORLD_OVER'
  readonly #runner: object | null

  constructor(runner: object | null) {
    super('the run of this simulated world is over: what calls it now is no part of any run, a timer perhaps')
    this.#runner = runner
  }

  isFrom(runner: object): boolean {
    return this.#runner === runner
  }
}

/** One simulated world. */
export class Kernel {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly privileged: boolean
  readonly files = new FileTree()
  readonly processes = new Map<number, Process>()
  readonly tasks = new Map<number, Task>()
  readonly loop: EventLoop
  /** Takes in orphans, and reaps them. */
  readonly init: Process
  /** The host's parent, so that the host's group is no orphan. */
  readonly shell: Process
  /** The process the calling JavaScript is. */
  readonly host: Task
  /** Errors that programs did not catch, in order. */
  readonly crashes = youngArray<Crash>()
  /** Who of several waiters is woken first is a choice; else it is as on Linux. */
  choosesWaiters = false
  /** Nothing moves any more; calls of the host are refused. */
  isOver = false
  /** Who runs the world under its schedules, if anybody does. */
  runner: object | null = null
  /** Calls and awaits of the host so far. */
  hostCalls = 0
  /** The slots of all pipes, which are limited for a user without privilege. */
  pipeSlots = 0
  /** Told of each object a step touches. */
  onTouch: ((object: KernelObject, aspect: TouchAspect) => void) | null = null
  /** Told of each move before it is made: a step of a task, a call of the host, something awaited that settles, a fault. */
  onMove: ((actor: Actor) => void) | null = null
  /** Told when somebody asks for the time, which is no move. */
  onClockRead: ((actor: Actor) => void) | null = null
  /** Bytes that the call under way moves at most: fewer than asked for where a fault cuts it short. */
  mostBytes = Number.POSITIVE_INFINITY
  /** What goes wrong, if anything is to. */
  faults: FaultInjector | null = null
  /** Told of all that happens. */
  observer: KernelObserver | null = null
  /** Told of each access to a cell, after a load and before a store. */
  onCellAccess: ((cell: Cell<unknown>, task: Task, call: 'load' | 'store', value: unknown) => void) | null = null
  /** What the kernel's cells know of it. */
  readonly cells: CellsOwner = new CellsOwner(this)
  /** Kept while a race detector needs it. */
  order: HappensBefore | null = null
  /** Whose step or call is under way. */
  acting: Task
  /** Tasks that could step, in the order they were made. */
  readonly #runnable = youngArray<Task>()
  readonly #unfinished = youngArray<OpenFile>()
  #nextActor = 0
  #nextObject = 1
  #nextPid = firstPid

  constructor(parts: KernelParts) {
    this.clock = parts.clock
    this.scheduler = parts.scheduler
    this.privileged = parts.privileged
    this.loop = new EventLoop(this)
    this.init = this.#frame(initPid, null, '/sbin/init')
    this.shell = this.#frame(shellPid, this.init, '/bin/sh')
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

  /** A process outside the simulation, which never steps and wants nothing of its children. */
  #frame(pid: number, parent: Process | null, path: string): Process {
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

  /** A process as its program sees it. */
  viewOf(task: Task): SimulatedProcess {
    return new SimulatedProcess(task)
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

  /** Every use of something shared passes here. */
  touch(object: KernelObject, aspect: TouchAspect = 'all'): void {
    this.onTouch?.(object, aspect)
  }

  /** Which numbers are given to processes: a fork takes one, a wait gives it back, and a call may find that nobody has it. */
  touchNumbers(): void {
    this.onTouch?.(numbers, 'all')
  }

  /** Which processes are in which group and session. */
  touchGroups(): void {
    this.onTouch?.(groups, 'all')
  }

  /** That the host is told of a change of one of its children: each tells of itself, in whatever order. */
  touchNews(sender: number): void {
    this.onTouch?.({ id: newsOfThread - sender }, 'all')
  }

  /** What the host was told, by whomever. */
  touchAllNews(): void {
    if (this.onTouch === null) return
    this.touchNews(0)
    for (const tid of this.tasks.keys()) this.touchNews(tid)
  }

  /** Somebody lets go of a file that `left` others hold: unless these are few this changes nothing that anybody sees. */
  touchHolders(file: OpenFile, left: number): void {
    this.onTouch?.({ id: holdersOfFile - file.id }, left > 1 ? 'lowered' : 'all')
  }

  /** Something of which everybody's next move may depend. */
  touchEverything(): void {
    this.onTouch?.(everything, 'all')
  }

  /** A use of a file is one of its other end, too. */
  touchFile(file: OpenFile): void {
    if (this.onTouch === null || !file.hasState) return
    this.onTouch(file, 'all')
    if (file.counterpart !== undefined) this.onTouch(file.counterpart, 'all')
  }

  /** The time, as somebody of the world asks for it. */
  timeFor(task: Task): number {
    this.onClockRead?.(task)
    return this.clock.now()
  }

  /** Every choice passes here. */
  choose(choice: Choice): number {
    return this.scheduler.choose(choice)
  }

  get runnable(): readonly Task[] {
    return this.#runnable
  }

  /** The scheduler may let the task step from now on. */
  makeRunnable(task: Task): void {
    if (task.state === 'runnable' || task.state === 'running') return
    if (this.order !== null && (task.state === 'stopped' || task.state === 'traced')) this.order.resumed(task)
    task.state = 'runnable'
    let index = this.#runnable.length
    while (index > 0 && this.#runnable[index - 1]!.id > task.id) index--
    this.#runnable.splice(index, 0, task)
    this.loop.stir()
  }

  /** The task stops, or has ended. */
  park(task: Task, state: 'stopped' | 'traced' | 'zombie'): void {
    this.touch(task.process)
    this.order?.changedState(task)
    // One that another thread's exec ends may have been about to step.
    if (task.state === 'runnable') this.#take(task)
    task.state = state
  }

  /** Something outside has changed: the world may be able to go on. */
  stir(): void {
    this.loop.stir()
  }

  /** A file that nobody holds any more ends when the call under way is over; of several, the last one first. */
  finishLater(file: OpenFile): void {
    this.#unfinished.push(file)
  }

  #finishFiles(): void {
    while (this.#unfinished.length > 0) for (const file of this.#unfinished.splice(0).reverse()) file.finish()
  }

  /** Lets one task take one step: a system call, and the program's own work up to the next. */
  step(task: Task): void {
    this.onMove?.(task)
    if (this.onTouch !== null) this.#touchOwn(task)
    this.#take(task)
    this.acting = task
    step(task)
    this.#finishFiles()
    this.acting = this.host
    if (task.state !== 'running') return
    task.state = 'waiting'
    this.makeRunnable(task)
  }

  /** Threads share their descriptors and more; but an access to memory concerns nothing else. */
  #touchOwn(task: Task): void {
    const { process } = task
    const name = task.frames[task.frames.length - 1]?.request?.name
    const isShared = process.tasks.length > 1 && name !== 'load' && name !== 'store'
    this.touch(isShared ? process : task)
  }

  #take(task: Task): void {
    this.#runnable.splice(this.#runnable.indexOf(task), 1)
    task.state = 'running'
  }

  /** A system call of the host: others may step before it, and go on while it is blocked. */
  hostCall(call: NamedCall, act: (task: Task) => unknown, args: readonly unknown[] = []): unknown {
    const { host } = this
    if (this.isOver) throw new WorldOverError(this.runner)
    this.hostCalls++
    if (this.#runnable.length > 0 || this.clock.next() !== undefined || this.faults !== null) this.#letOthersStep()
    if (host.exiting) throw new HostKilledError(host.exitStatus & 0x7f)
    this.onMove?.(host)
    this.touch(host)
    const result = this.perform(host, call, act, args)
    this.#finishFiles()
    return result === blocked || host.signalPending
      ? this.#finishHostCall(() => this.perform(host, call, act, args), result)
      : result
  }

  /** Carries out a system call, unless a fault comes in its place. */
  perform(task: Task, call: NamedCall, act: (task: Task) => unknown, args: readonly unknown[] = []): unknown {
    const { observer, faults } = this
    if (observer === null && faults === null) return act(task)
    const { name, method } = call
    observer?.({ kind: 'call', task, name, method, args })
    const result = faults === null ? act(task) : faults.perform(task, name, act, args)
    observer?.({ kind: 'result', task, result })
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

  /** Lets others step until the host is chosen, which has to be able to. */
  #runUntilHostCan(): void {
    for (;;) {
      this.clock.fireDue()
      if (this.#runnable.length === 0) {
        if (!this.letTimePass()) throw this.#deadlock()
        continue
      }
      const chosen = this.chooseActor(this.#runnable)
      if (chosen === this.host) {
        this.onMove?.(chosen)
        this.touch(this.host)
        this.#take(this.host)
        return
      }
      this.move(chosen)
    }
  }

  /** Who moves next, of one or more; where faults are possible they are among what is chosen from. */
  chooseActor(options: readonly Actor[]): Actor {
    const faults = this.faults?.isPossible ? this.faults.kills() : []
    const all = faults.length === 0 ? options : [...options, ...faults]
    return all.length === 1 ? all[0]! : all[this.choose({ kind: 'step', options: all })]!
  }

  /** Makes a move: a step, or a fault. */
  move(actor: Actor): void {
    if (actor instanceof Task) {
      this.step(actor)
    } else {
      this.onMove?.(actor)
      this.faults!.make(actor)
    }
  }

  /** Nobody can move: lets the next timer's time come, unless a fault is to come first. False when there is no timer. */
  letTimePass(): boolean {
    const next = this.clock.next()
    if (next === undefined) return false
    const chosen = this.chooseActor([time])
    if (chosen === time) this.clock.waitUntil(next)
    else this.move(chosen)
    return true
  }

  /** The host gives up its call, so that the caller can go on after the error. */
  #deadlock(): Error {
    const error = deadlockError(this)
    // Whatever anybody does changes whether it comes to this.
    this.touchEverything()
    const { host } = this
    host.wait?.leave()
    host.unblock()
    host.state = 'running'
    return error
  }

  /** Runs everybody until nobody can step without time passing or the host doing something. */
  settle(): void {
    this.clock.fireDue()
    while (this.#runnable.length > 0) this.move(this.chooseActor(this.#runnable))
  }
}

/** Stands for the passing of time where a fault may come first. */
const time: Actor = { id: -1, label: 'time passes' }
