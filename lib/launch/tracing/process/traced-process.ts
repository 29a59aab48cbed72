/**
 * One traced process: what holds its threads, their births, stops and ends together.
 *
 * Threads are always traced, whatever is shown, so that an exec by any of them is seen.
 */

import { SystemError } from '../../../system/errors.ts'
import { privateCallsOf } from '../../../system/private-calls.ts'
import type { Signal } from '../../../system/signals.ts'
import type { System } from '../../../system/system.ts'
import type { ExitStatus, StopStatus } from '../../../system/wait-status.ts'
import type { ChildLife } from '../../children/child-life.ts'
import { isBirthSignal } from '../births/births.ts'
import { type Creator, followingOf } from '../births/following.ts'
import type { Faces, Origin } from '../births/origin.ts'
import { leaveAtExit } from '../leaving/leave-at-exit.ts'
import { prepareToLeave, release } from '../leaving/parting.ts'
import { AddressSpace } from '../memory/address-space.ts'
import { describeStop } from '../stops/describe-stop.ts'
import { StopFeeds } from '../stops/stop-feed.ts'
import { TaskSettings } from '../stops/task-settings.ts'
import { Halt } from '../tasks/halt.ts'
import { MainEnd } from '../tasks/main-end.ts'
import { type Follow, optionsFor, type Tracing } from '../tasks/options.ts'
import { GroupStopKeeper, passOn } from '../tasks/pass-on-task.ts'
import { resumeTask } from '../tasks/resume-task.ts'
import type { Going } from '../tasks/resumption.ts'
import { ShownEvents } from '../tasks/shown-events.ts'
import { Task, type TaskOwner } from '../tasks/task.ts'
import type { Stop } from '../tasks/task-state.ts'
import { Ends } from './ends.ts'
import { Births } from './process-births.ts'
import { refuseCall } from './refuse-call.ts'
import { isOnItsWayOut, Showing } from './showing.ts'

export class TracedProcess implements TaskOwner, Creator {
  readonly system: System
  readonly pid: number
  readonly life: ChildLife
  readonly follow: Follow
  readonly kind: Origin<TracedProcess>['kind']
  readonly exitKill: boolean
  readonly parent: TracedProcess | null
  /** Those followed, ended ones too: another process may have their numbers by now. */
  readonly children = new Set<TracedProcess>()
  readonly main: Task
  /** The living threads, by tid. */
  readonly tasks = new Map<number, Task>()
  readonly halt: Halt
  readonly keeper = new GroupStopKeeper()
  readonly settings: TaskSettings
  readonly feeds: StopFeeds
  tracing: Tracing | null
  mayLeaveChildren = true
  memoryMark: number
  /** Set by detach() and handOff(): no thread may run any more. */
  isLeaving = false
  /** Set once its disposal kills it. */
  isDisposed = false
  /** Set by run(): the function that runs a process to its end. */
  run: ((process: TracedProcess) => Promise<void>) | undefined
  space: AddressSpace
  faces: Faces<TracedProcess> | undefined
  readonly births = new Births(this, origin => new TracedProcess(origin))
  readonly #ends = new Ends(this)
  readonly #mainEnd = new MainEnd(this)
  readonly shownEvents: ShownEvents
  readonly #showing = new Showing(this)

  constructor(origin: Origin<TracedProcess>) {
    const { life, tracing, follow, exitKill, kind, parent = null, space } = origin
    this.life = life
    this.system = life.system
    this.pid = life.pid
    this.tracing = tracing
    this.follow = follow
    this.exitKill = exitKill
    this.kind = kind
    this.parent = parent
    this.feeds = new StopFeeds(parent === null ? undefined : parent.feeds)
    this.shownEvents = new ShownEvents(parent === null ? undefined : parent.shownEvents)
    this.settings = new TaskSettings(this, optionsFor(follow, exitKill))
    this.main = new Task(this, this.pid, this.settings.options, () => life.watched)
    this.tasks.set(this.pid, this.main)
    this.halt = new Halt(this)
    this.space = space ?? new AddressSpace(this.system)
    this.memoryMark = parent?.memoryMark ?? 0
    this.space.add(this)
    life.traceBy({
      launched: status => this.#ends.launched(status),
      changed: result => this.main.changed(result),
      lost: error => this.lost(this.main, error),
      quiet: () => this.#mainEnd.quiet(),
    })
    // Until its exec, a launched process starts no other task, and dies with its tracer.
    if (kind !== 'launched') this.runsFreely()
  }

  /** From now on it may start other tasks, and outlive its tracer. */
  runsFreely(): void {
    followingOf(this.system).add(this)
    // A SIGSTOP that is pending when Node exits would stop it for good.
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

  /** The tid by which memory is read: that of a living thread. */
  get memoryTid(): number {
    if (!this.main.hasEnded) return this.pid
    for (const task of this.tasks.values()) if (!task.hasEnded) return task.tid
    return this.pid
  }

  /** Whether the process and those followed from it have ended or were detached. */
  get isTreeOver(): boolean {
    if (!this.hasEnded && this.tracing !== null) return false
    for (const child of this.children) if (!child.isTreeOver) return false
    return true
  }

  // The watch: stops and ends

  stopped(task: Task, status: StopStatus): void {
    task.tolerateDeath(() => this.#stopped(task, status))
    this.space.changed()
    this.halt.changed()
  }

  #stopped(task: Task, status: StopStatus): void {
    if (this.tracing === null) {
      // Killed before it could be detached: nothing else resumes it from its exit event.
      if (task.isDying && status.event === 'exit') this.system.ptraceCont(task.tid)
      return
    }
    this.settings.apply(task)
    if (this.settings.watches.passUnseen(task, status)) return
    const isWithdrawn = this.settings.isWithdrawn(task, status)
    task.optionsReplaced = 0
    if (isWithdrawn) {
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
    if (status.event === 'exec') this.#ends.execed(task)
    if (this.space.continueStep(task, status, this.settings.watches)) return
    if (task.resumption.passUnseen(status)) return
    const cause = task.interruption.cause(status, this.tracing, task.isListening)
    task.isSignalDropped = cause !== undefined && status.event === undefined
    if (cause === 'own') this.#showing.interrupted(task)
    else {
      const stop = this.#describe(task, status, cause)
      if (stop !== undefined) this.showOrPass(task, stop)
    }
  }

  /** Shows a stop, or passes it on if it is hidden. */
  showOrPass(task: Task, stop: Stop): void {
    this.#showing.showOrPass(task, stop)
  }

  /** A stop as it is shown; undefined if that was dealt with here. */
  #describe(task: Task, status: StopStatus, cause: 'user' | undefined): Stop | undefined {
    const { event } = status
    if (event === 'clone' || event === 'fork' || event === 'vfork') return this.births.announced(task, status as Stop)
    const { space } = this
    if (event === 'vfork-done') {
      task.isInVfork = false
      space.enableBreakpoints()
    }
    const { watches } = this.settings
    const known = { space, watches, formerTid: this.#ends.formerTid, isInterrupt: cause === 'user' }
    const stop = describeStop(task, status, known)
    if (stop === undefined) task.again()
    return stop
  }

  // Births

  adopt(pid: number): void {
    this.births.adopt(pid)
  }

  /** Ends the tracing of a process of one thread at its stop. */
  release(signal: Signal | undefined): void {
    release(this, signal)
  }

  // Ends

  ended(task: Task, status: ExitStatus): void {
    this.#ends.ended(task, status)
  }

  lost(task: Task, error?: SystemError): void {
    this.#ends.lost(task, error)
  }

  /** Resumes the threads of a process that is being killed from the stops on the way to their ends. */
  dispose(): void {
    this.isDisposed = true
    for (const task of [...this.tasks.values()]) {
      if (task.stop !== null && isOnItsWayOut(task, task.stop)) passOn(task, task.stop, this.keeper)
    }
  }

  lookForMainEnd(): void {
    this.#mainEnd.quiet()
  }

  threadEnded(): void {
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

  /** Refuses a process that has ended, or was detached. */
  mustBeTraced(syscall: string): void {
    if (this.hasEnded) throw this.main.gone(syscall, 'ESRCH')
    if (this.tracing === null || this.main.interceptor !== null) throw this.main.detached(syscall)
  }

  /** Refuses a child at its launch's gate also: the launch takes its stops until the exec. */
  mustBeStarted(syscall: string): void {
    this.mustBeTraced(syscall)
    if (this.life.launcher === undefined) return
    throw new SystemError({ errno: 'ESRCH', syscall, pid: this.pid, hint: 'its launch is not over yet' })
  }

  resume(task: Task, going: Going, stop: Stop, signal: number): void {
    resumeTask(this, task, going, stop, signal)
    this.halt.resumed(task)
  }

  resumed(task: Task): void {
    this.halt.resumed(task)
  }

  /** Shows a task's first stop, which was held back until the user has resumed it from its birth. */
  showHeldBack(task: Task, heldBack: StopStatus): void {
    this.#stopped(task, heldBack)
  }

  shown(task: Task): void {
    this.feeds.push(task)
  }

  get isGated(): boolean {
    return this.space.isGated
  }

  // Breakpoints and watched addresses

  correctPc(task: Task, status: StopStatus): void {
    this.space.trapOf(task, status)
  }

  /** Removes what would stop or kill the program once it is detached. */
  prepareToLeave(isAtExit = false): void {
    prepareToLeave(this, isAtExit)
  }

  announceChildren(): void {
    this.settings.announceChildren()
  }

  again(task: Task): void {
    this.space.again(task)
  }
}
