/** The simulated kernel itself: its processes, the run queue, and the steps tasks take. */

import { invalidReturn, outOfRange } from '../../system/argument-errors.ts'
import { blockThread, type Clock } from '../base/clock.ts'
import type { Actor, Choice, Scheduler } from '../base/scheduler.ts'
import { SIGCHLD, SIGPIPE } from '../base/signal-numbers.ts'
import { youngArray } from '../base/young-array.ts'
import { DescriptorTable } from '../files/descriptor-table.ts'
import type { OpenFile } from '../files/open-file.ts'
import type { OutsideWait } from '../files/world.ts'
import { type BaseTree, FileTree } from '../processes/file-tree.ts'
import type { Machine } from '../processes/machine.ts'
import { fromKernel } from '../processes/pending-signals.ts'
import { Process } from '../processes/process.ts'
import { sendToTask } from '../processes/signals.ts'
import { type Action, type CallRow, type Code, type Request, Task } from '../processes/task.ts'
import { EventLoop } from './event-loop.ts'
import type { ExploredRun, Faults } from './explored-run.ts'
import { RunQueue } from './run-queue.ts'
import { step } from './step.ts'
import { Tracepoints } from './tracepoints.ts'

const initPid = 1
const shellPid = 2
/** The host's number; every other process has a higher one. */
export const firstPid = 100

/** How long a host call that waits for outside files blocks before it tries them again. */
const outsidePauseMs = 2

/** The option that time passes, offered beside a possible fault. */
const time: Actor = { id: 0, label: 'time passes' }

/** An error that a program did not catch, which ended its process by SIGABRT. */
export interface Crash {
  /** The process. */
  readonly pid: number
  /** What its program threw. */
  readonly error: unknown
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
  /** The main thread of the host: the process that the calling JavaScript has in this world. */
  readonly host: Task
  /** Errors that programs did not catch, in order. */
  readonly crashes = youngArray<Crash>()
  /** The run this world was made for; null outside explorations. */
  run: ExploredRun | null = null
  pipeSlots = 0
  readonly outsideWaits = new Set<OutsideWait>()
  acting: Task
  offered: Request | null = null
  readonly #scheduler: Scheduler
  readonly #runQueue = new RunQueue()
  readonly #unfinished = youngArray<OpenFile>()
  #nextActor = time.id + 1
  #nextObject = 1
  #nextPid = firstPid
  #nextMemory = 1

  constructor(parts: KernelParts) {
    this.clock = parts.clock
    this.privileged = parts.privileged
    this.fileTree = new FileTree(parts.tree)
    this.#scheduler = parts.scheduler
    this.loop = new EventLoop(this)
    this.init = this.#ancestor(initPid, null, '/sbin/init')
    this.shell = this.#ancestor(shellPid, this.init, '/bin/sh')
    this.shell.session = this.shell.group = shellPid
    const image = { path: 'host', argv: ['host'], env: [] }
    const process = new Process(this, this.newPid(), this.shell, new DescriptorTable(parts.nofile), image)
    process.group = process.id
    process.coreLimit = parts.core
    process.ignore(SIGPIPE)
    this.host = new Task(this, process.id, process, null)
    this.host.state = 'running'
    this.acting = this.host
    this.#adopt(process, this.host)
  }

  /** An ancestor of the host: a process that never steps and ignores SIGCHLD, so its children vanish. */
  #ancestor(pid: number, parent: Process | null, path: string): Process {
    const process = new Process(this, pid, parent, new DescriptorTable(0), { path, argv: [path], env: [] })
    process.ignore(SIGCHLD)
    this.#adopt(process, new Task(this, pid, process, null))
    return process
  }

  #adopt(process: Process, leader: Task): void {
    process.leader = leader
    process.tasks.push(leader)
    process.unreaped.push(leader)
    this.processes.set(process.id, process)
    this.tasks.set(leader.tid, leader)
    if (process.parent !== process) process.parent.children.push(process)
  }

  newPid(): number {
    return this.#nextPid++
  }

  newMemoryMark(): number {
    return this.#nextMemory++
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

  /** Asks the scheduler, which may be the caller's own; every choice passes through here. */
  choose(choice: Choice): number {
    const answer: unknown = this.#scheduler.choose(choice)
    const { length } = choice.options
    if (typeof answer !== 'number') throw invalidReturn('the index of an option', 'choose() of the scheduler', answer)
    if ((answer | 0) === answer && answer >= 0 && answer < length) return answer
    throw outOfRange('choose() of the scheduler', `an integer >= 0 && < ${length}`, answer)
  }

  get runnable(): readonly Task[] {
    return this.#runQueue.tasks
  }

  makeRunnable(task: Task): void {
    if (task.state === 'runnable' || task.state === 'running') return
    if (task.state === 'stopped' || task.state === 'traced') this.trace.letGo?.(task)
    this.#runQueue.add(task)
    this.loop.stir()
  }

  park(task: Task, state: 'stopped' | 'traced' | 'zombie', code: number): void {
    this.trace.parked?.(task, state, code)
    // A thread ended by another thread's exec may still be in the run queue.
    if (task.state === 'runnable') this.#runQueue.take(task)
    task.state = state
  }

  stir(): void {
    this.loop.stir()
  }

  finishLater(file: OpenFile): void {
    this.#unfinished.push(file)
  }

  /** Finishes the files that lost their last reference in the call just made. */
  finishFiles(): void {
    while (this.#unfinished.length > 0) for (const file of this.#unfinished.splice(0).reverse()) file.finish()
  }

  /** Makes a task take one step: a system call, and the program's own code up to the next. */
  step(task: Task): void {
    this.beginMove(task)
    this.acting = task
    try {
      step(task)
      this.finishFiles()
    } finally {
      this.acting = this.host
    }
    if (task.state !== 'running') return
    task.state = 'waiting'
    this.makeRunnable(task)
  }

  /** Begins the move of a runnable task, its step or the end of the host's wait. */
  beginMove(task: Task): void {
    this.trace.moves?.(task, task)
    this.#runQueue.take(task)
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

  /** Asks the scheduler which actor moves. Possible faults are options too; a single option is no choice. */
  chooseActor(options: readonly Actor[]): Actor {
    const { faults } = this
    const all = faults?.isPossible ? faults.withKills(options) : options
    return all.length === 1 ? all[0]! : all[this.choose({ kind: 'step', options: all })]!
  }

  /** Makes a move: the step of a task, or a fault. */
  move(actor: Actor): void {
    if (actor instanceof Task) {
      this.step(actor)
    } else {
      this.trace.moves?.(actor, null)
      this.faults!.kill(actor)
    }
  }

  /**
   * When no task can step: waits until the next timer or for outside files, unless a fault is chosen. False when there
   * is none of these.
   */
  letTimePass(): boolean {
    const next = this.clock.next()
    if (this.outsideWaits.size > 0 && !(this.clock.jumps && next !== undefined)) {
      this.#awaitOutside(next)
      return true
    }
    if (next === undefined) return false
    const chosen = this.chooseActor([time])
    if (chosen === time) {
      this.trace.timePasses?.(time)
      this.clock.waitUntil(next)
    } else {
      this.move(chosen)
    }
    return true
  }

  /** Blocks the thread a little, then lets every call that waits for an outside file try again. */
  #awaitOutside(next: number | undefined): void {
    blockThread(next === undefined ? outsidePauseMs : Math.min(outsidePauseMs, next - this.clock.now()))
    for (const file of [...this.outsideWaits]) file.changed()
  }

  /** Lets tasks step until none can without time passing or a call of the host. */
  settle(): void {
    this.clock.fireDue()
    const { runnable } = this
    while (runnable.length > 0) this.move(this.chooseActor(runnable))
    // The caller now knows that no task can step, which depends on every move before.
    this.trace.worldUsed?.()
  }
}
