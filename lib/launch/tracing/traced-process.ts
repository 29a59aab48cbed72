/**
 * One traced process: what holds its threads, their births, stops and ends together.
 *
 * Threads are always traced, whatever is shown, so that an exec by any of them is seen.
 */

import { isErrno, type SystemError } from '../../system/errors.ts'
import { privateCallsOf } from '../../system/private-calls.ts'
import type { Signal } from '../../system/signals.ts'
import type { System } from '../../system/system.ts'
import type { ExitStatus, StopStatus } from '../../system/wait-status.ts'
import type { ChildLife } from '../child-life.ts'
import { AddressSpace } from './address-space.ts'
import { isBirthSignal } from './births.ts'
import { describeStop, execStop } from './describe-stop.ts'
import { Ends } from './ends.ts'
import { type Creator, followingOf } from './following.ts'
import { Halt } from './halt.ts'
import { leaveAtExit, stayAtExit } from './leave-at-exit.ts'
import { MainEnd } from './main-end.ts'
import { type Follow, optionsFor, type Tracing } from './options.ts'
import { GroupStopKeeper } from './pass-on-task.ts'
import { Births } from './process-births.ts'
import { refuseCall } from './refuse-call.ts'
import type { Going } from './resumption.ts'
import { Showing } from './showing.ts'
import { optionOfEvent, type ShownEvent, ShownEvents } from './shown-events.ts'
import type { StopFeed } from './stop-feed.ts'
import { type Stop, Task, type TaskOwner, type ThreadFace } from './task.ts'
import { TaskSettings } from './task-settings.ts'
import type { WatchOptions } from './watchpoints.ts'

/** Makes the objects that the user has. */
export interface Faces {
  /** The object of a process. */
  readonly process: object
  thread(task: Task): ThreadFace
  follow(child: TracedProcess): void
}

/** How a process came to be traced. */
export interface Origin {
  readonly life: ChildLife
  readonly tracing: Tracing
  readonly follow: Follow
  readonly exitKill: boolean
  /** 'launched' is a child of this process, 'followed' of a tracee; 'stray' is to be let go as soon as it can be. */
  readonly kind: 'launched' | 'followed' | 'attached' | 'stray'
  readonly parent?: TracedProcess
  readonly space?: AddressSpace
}

export class TracedProcess implements TaskOwner, Creator {
  readonly system: System
  readonly pid: number
  readonly life: ChildLife
  readonly follow: Follow
  readonly kind: Origin['kind']
  readonly exitKill: boolean
  readonly parent: TracedProcess | null
  readonly children = new Map<number, TracedProcess>()
  readonly main: Task
  /** By tid; a thread that has ended is not in it. */
  readonly tasks = new Map<number, Task>()
  readonly halt: Halt
  readonly keeper = new GroupStopKeeper()
  readonly settings: TaskSettings
  readonly feeds = new Set<StopFeed>()
  tracing: Tracing | null
  /** Set by detach() and handOff(): no thread is to run any more. */
  isLeaving = false
  /** Set by run(): has a process go on by itself. */
  run: ((process: TracedProcess) => Promise<void>) | undefined
  space: AddressSpace
  faces: Faces | undefined
  readonly births = new Births(this, origin => new TracedProcess(origin))
  readonly #ends = new Ends(this)
  readonly #mainEnd = new MainEnd(this)
  readonly shownEvents: ShownEvents
  readonly #showing = new Showing(this)
  #hasExeced = false
  // Of the latest exec.
  #formerTid = 0

  constructor(origin: Origin) {
    const { life, tracing, follow, exitKill, kind, parent = null, space } = origin
    this.life = life
    this.system = life.system
    this.pid = life.pid
    this.tracing = tracing
    this.follow = follow
    this.exitKill = exitKill
    this.kind = kind
    this.parent = parent
    this.shownEvents = new ShownEvents(parent === null ? undefined : parent.shownEvents)
    this.settings = new TaskSettings(this, optionsFor(follow, exitKill))
    this.main = new Task(this, this.pid, this.settings.options, () => life.watched)
    this.tasks.set(this.pid, this.main)
    this.halt = new Halt(this)
    this.space = space ?? new AddressSpace(this.system)
    this.space.add(this)
    life.tracer = {
      launched: status => this.#launched(status),
      changed: result => this.main.changed(result),
      lost: error => this.lost(this.main, error),
      quiet: () => this.#mainEnd.quiet(),
    }
    followingOf(this.system).add(this)
    // Until its exec, a launched one ends with its tracer.
    if (kind !== 'launched') this.#mayOutlive()
  }

  /** A SIGSTOP that Node's exit leaves on its way would stop it for good. */
  #mayOutlive(): void {
    if (!this.exitKill && this.tracing === 'traceme') leaveAtExit(this)
  }

  /** The process that was launched or attached to. */
  get root(): TracedProcess {
    return this.parent === null ? this : this.parent.root
  }

  get hasEnded(): boolean {
    return this.life.watched.ended
  }

  get announcesForks(): boolean {
    return this.settings.announcesForks
  }

  /** The number by which memory is read: that of a thread that is there. */
  get memoryTid(): number {
    if (!this.main.hasEnded) return this.pid
    for (const task of this.tasks.values()) if (!task.hasEnded) return task.tid
    return this.pid
  }

  /** Whether the process and all that is followed from it have ended or were let go. */
  get isTreeOver(): boolean {
    if (!this.hasEnded && this.tracing !== null) return false
    for (const child of this.children.values()) if (!child.isTreeOver) return false
    return true
  }

  // The watch: stops and ends

  stopped(task: Task, status: StopStatus): void {
    task.tolerateDeath(() => this.#stopped(task, status))
    this.space.changed()
    this.halt.changed()
  }

  #stopped(task: Task, status: StopStatus): void {
    if (this.tracing === null) return
    this.settings.apply(task)
    if (this.settings.isWithdrawn(task, status)) {
      if (status.event === 'seccomp') refuseCall(this.system, task.tid)
      task.again()
      return
    }
    if (task.isUnborn) {
      this.births.born(task, status)
      return
    }
    if (task.isBirthStopDue && isBirthSignal(this.system, task.tid, status)) {
      task.isBirthStopDue = false
      this.births.birthStopCame(task)
      return
    }
    if (status.event === 'exec') this.#execed(task)
    if (this.space.hasStepped(task, status)) return
    if (task.resumption.passUnseen(status)) return
    const cause = task.interruption.cause(status, this.tracing, task.isListening)
    task.isInterrupted = cause !== undefined && status.event === undefined
    if (cause === 'own') this.#showing.interrupted(task)
    else {
      const stop = this.#describe(task, status, cause)
      if (stop !== undefined) this.give(task, stop)
    }
  }

  /** Shows a stop, or passes it on where it is hidden. */
  give(task: Task, stop: Stop): void {
    this.#showing.give(task, stop)
  }

  /** What the kernel tells about a stop; undefined for one that is over. */
  #describe(task: Task, status: StopStatus, cause: 'user' | undefined): Stop | undefined {
    const { event } = status
    if (event === 'clone' || event === 'fork' || event === 'vfork') return this.births.announced(task, status as Stop)
    if (event === 'vfork-done') task.isInVfork = false
    const { space } = this
    const known = { space, watches: this.settings.watches, formerTid: this.#formerTid, isInterrupt: cause === 'user' }
    const stop = describeStop(task, status, known)
    if (stop === undefined) task.again()
    return stop
  }

  // Births

  /** Watches a thread that was seized, which will stop. */
  addSeized(tid: number): void {
    this.births.addSeized(tid)
  }

  adopt(pid: number): void {
    this.births.adopt(pid)
  }

  /** Ends the tracing of a process of one thread at its stop. */
  release(signal: Signal | undefined): void {
    this.main.tolerateDeath(() => this.system.ptraceDetach(this.pid, signal))
    this.leave()
    if (this.isOwnChild()) this.life.keepAlive(false)
    else this.life.watched.forget()
  }

  /** Whether this process is the one to reap it: CLONE_PARENT gives a child to its creator's parent. */
  isOwnChild(): boolean {
    if (this.kind === 'launched' || this.kind === 'attached') return this.kind === 'launched'
    return privateCallsOf(this.system)?.taskOf?.(this.pid)?.parent === process.pid
  }

  /** The process is traced no more. */
  leave(): void {
    if (this.tracing === null) return
    this.tracing = null
    stayAtExit(this)
    this.space.remove(this)
    this.#following.remove(this)
    for (const task of [...this.tasks.values()]) {
      if (task.isMain) continue
      task.watched.forget()
      this.tasks.delete(task.tid)
      task.finish('detach', null)
    }
    this.main.stop = null
    this.main.parked = null
    this.main.interceptor = null
    // No search among tracees finds it any more.
    if (this.isOwnChild()) this.life.watched.isFound = false
    else if (this.kind !== 'stray') this.life.endElsewhere(this.pid)
    this.wakeFeeds()
  }

  // Exec and ends

  /** The launch is over: there is no other thread, and nothing was asked for before. */
  #launched(status: StopStatus): void {
    this.#mayOutlive()
    this.#hasExeced = true
    this.#formerTid = this.pid
    this.main.at = status
    this.main.stop = execStop(status, this.pid, this.pid)
  }

  /** Every other thread has ended, and the main one goes on with the one that has exec'ed. */
  #execed(main: Task): void {
    // Before its first exec, a launched child has one thread.
    const isFirst = this.kind === 'launched' && !this.#hasExeced
    const former = isFirst ? this.pid : this.system.ptraceGetEventMessage(main.tid)
    this.#hasExeced = true
    this.#formerTid = former
    // Their creator was killed by the exec; they have a copy of the memory that there was.
    this.#following.adoptEarly(this)
    this.space = this.space.renewed(this)
    this.settings.watches.clear()
    this.#ends.execed(former)
  }

  ended(task: Task, status: ExitStatus): void {
    task.stop = null
    task.parked = null
    if (task.isMain) this.#allEnded(status)
    else this.#ends.ended(task, status)
    this.space.changed()
    this.halt.changed()
  }

  #allEnded(status: ExitStatus): void {
    for (const task of [...this.tasks.values()]) if (task !== this.main) this.lost(task)
    this.#ends.allEnded(status)
    stayAtExit(this)
    this.space.remove(this)
    this.#following.remove(this)
    this.wakeFeeds()
  }

  lost(task: Task, error?: SystemError): void {
    if (!task.isMain) this.#ends.lost(task)
    else if (error !== undefined) {
      task.stop = null
      task.parked = null
      task.fail(error)
      this.#following.remove(this)
      for (const feed of this.#allFeeds()) feed.fail(error)
    }
    this.space.changed()
    this.halt.changed()
  }

  /** Whether an exec or the end of the whole process is under way, which the end of a thread is part of. */
  get isEnding(): boolean {
    return privateCallsOf(this.system)?.isEndingOrExecing?.(this.pid) === true
  }

  continued(): void {
    this.keeper.continued()
  }

  // What the user does

  /** Refuses a process that has ended, or is let go. */
  mustBeTraced(syscall: string): void {
    if (this.hasEnded) throw this.main.gone(syscall, 'ESRCH')
    if (this.tracing === null || this.main.interceptor !== null) throw this.main.detached(syscall)
  }

  readMemory(address: bigint, into: number | Uint8Array): Uint8Array {
    return this.space.read(this.memoryTid, address, into)
  }

  writeMemory(address: bigint, data: Uint8Array): number {
    return this.space.write(this.memoryTid, address, data)
  }

  /** Has these events shown, of this process and all that is followed from it. */
  async askFor(events: readonly ShownEvent[]): Promise<void> {
    this.shownEvents.add(events)
    for (const event of events) this.settings.options |= optionOfEvent[event]
    for (const child of this.children.values()) await child.askFor(events)
    if (!this.settings.isPending || this.tracing === null || this.hasEnded) return
    const mustHalt = !this.halt.isComplete
    this.settings.applyAll()
    if (mustHalt && !this.halt.isOn) {
      await this.halt.begin(undefined)
      this.halt.end()
    }
  }

  ceaseToAskFor(events: readonly ShownEvent[]): void {
    this.shownEvents.remove(events)
    if (this.tracing !== null && !this.hasEnded) this.settings.withdraw(events, this.shownEvents)
    for (const child of this.children.values()) child.ceaseToAskFor(events)
  }

  resume(task: Task, going: Going, stop: Stop, signal: number): void {
    try {
      this.#resume(task, going, stop, signal)
    } catch (error) {
      // Killed at its stop: its end is about to be reported, and says more than a refusal.
      if (!isErrno(error, 'ESRCH') || !this.#isDying(task)) throw error
      task.stop = null
      task.parked = null
    }
  }

  #isDying(task: Task): boolean {
    if (!task.watched.ended) task.watched.check()
    return task.hasEnded || privateCallsOf(this.system)?.isEndingOrExecing?.(task.tid) === true
  }

  #resume(task: Task, going: Going, stop: Stop, signal: number): void {
    if (this.isLeaving) {
      task.left(stop)
      // A signal that is not passed on is not delivered by the detach, either.
      task.isInterrupted = signal === 0
      task.park('user', () => this.#resume(task, going, stop, signal))
      task.stop = null
      return
    }
    const { behind } = task
    if (behind === null) {
      this.space.resume(task, going, stop, signal)
      return
    }
    task.behind = null
    task.resumption.queue(stop, signal)
    task.left(stop)
    this.#stopped(task, behind)
  }

  shown(task: Task): void {
    for (const feed of this.#allFeeds()) feed.push(task)
  }

  #allFeeds(): readonly StopFeed[] {
    const feeds: StopFeed[] = []
    for (let process: TracedProcess | null = this; process !== null; process = process.parent) {
      if (process.feeds.size > 0) feeds.push(...process.feeds)
    }
    return feeds
  }

  wakeFeeds(): void {
    for (const feed of this.#allFeeds()) feed.wake()
  }

  get isGated(): boolean {
    return this.space.isGated
  }

  get #following() {
    return followingOf(this.system)
  }

  // Breakpoints and watched addresses

  breakpoint(address: bigint): Disposable {
    return this.space.insert(address, this.#architecture())
  }

  /** That of a thread that is stopped; while all run, this process's own. */
  #architecture(): string {
    for (const task of this.tasks.values()) {
      if (task.isStopped) return this.system.ptraceGetRegisters(task.tid).architecture
    }
    return process.arch
  }

  watch(address: bigint, options: WatchOptions): Disposable {
    return this.settings.watch(address, options)
  }

  correctPc(task: Task, status: StopStatus): void {
    this.space.trapOf(task, status)
  }

  /** Takes out of it what would stop or kill the program once it is let go. */
  prepareToLeave(isAtExit = false): void {
    this.space.takeOut(isAtExit)
    for (const task of this.tasks.values()) if (!task.hasEnded) this.settings.watches.empty(task)
  }

  announceChildren(): void {
    this.settings.announceChildren()
  }

  again(task: Task): void {
    this.space.again(task)
  }
}
