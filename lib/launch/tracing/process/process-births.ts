/** The births of a traced process: its own first stop, its threads, and the processes that it starts. */

import type { StopStatus } from '../../../system/wait-status.ts'
import { ChildLife } from '../../children/child-life.ts'
import { watchOf } from '../../children/child-watch.ts'
import { firstStop, isBirth, isThreadOf, tracingOf } from '../births/births.ts'
import { followingOf } from '../births/following.ts'
import { isInMemoryOf, newThread } from '../births/newborn.ts'
import type { Origin } from '../births/origin.ts'
import type { AddressSpace } from '../memory/address-space.ts'
import type { Tracing } from '../tasks/options.ts'
import type { Task } from '../tasks/task.ts'
import type { Stop } from '../tasks/task-state.ts'
import type { TracedProcess } from './traced-process.ts'

/** Stands for the options of a child without a known creator: they differ from any others, so they are set anew. */
const unknownOptions = -1

export class Births {
  readonly #process: TracedProcess
  readonly #newProcess: (origin: Origin<TracedProcess>) => TracedProcess
  /** Whether the process has had other threads than its main one. */
  isManyThreaded = false
  // The memory that this process was copied from, breakpoints included. Set until its first stop.
  #copied: AddressSpace | undefined

  constructor(process: TracedProcess, newProcess: (origin: Origin<TracedProcess>) => TracedProcess) {
    this.#process = process
    this.#newProcess = newProcess
  }

  /** A task has started another. The newborn is watched once the event was shown. */
  announced(task: Task, stop: Stop): Stop | undefined {
    if (!isBirth(stop.event, this.#process.settings.options)) return stop
    const tid = task.eventMessage()
    if (stop.event === 'vfork') task.isInVfork = true
    const newborn = isThreadOf(this.#process.system, this.#process.pid, tid)
      ? this.#addThread(tid, task.optionsAtStop)
      : this.#addProcess(task, stop, tid, this.#process.tracing!)
    const child = newborn.isMain ? (newborn.owner as TracedProcess).faces?.process : newborn.face?.object
    // Written out: V8 is slow to add a property to a copy.
    const { kind, signal, event } = stop
    this.#process.showOrPass(task, child === undefined ? stop : { kind, signal, event: event!, child })
    const early = followingOf(this.#process.system).takeEarly(tid)
    if (early !== undefined) newborn.watched.take(early)
    // A search that is under way finds it.
    else if (!watchOf(this.#process.system).isSearching) newborn.watched.check()
    return undefined
  }

  /** Adds a new thread, before its first stop. */
  #addThread(tid: number, options: number): Task {
    this.isManyThreaded = true
    const task = newThread(this.#process, tid, options)
    this.#process.tasks.set(tid, task)
    if (this.#process.follow !== false) task.face = this.#process.faces?.thread(task)
    return task
  }

  /** Adds a new process, before its first stop: a followed one, or a stray, which is detached at that stop. */
  #addProcess(creator: Task | undefined, stop: Stop, pid: number, tracing: Tracing): Task {
    const { system, follow, exitKill, space, settings } = this.#process
    const isShared = (follow === 'all' || space.hasBreakpoints) && creator !== undefined && isInMemoryOf(creator, stop)
    const life = new ChildLife(system, pid, [])
    life.handOver()
    life.watched.isFoundBySearch = true
    const child = this.#newProcess({
      life,
      tracing,
      follow: follow === 'all' ? 'all' : false,
      exitKill,
      kind: follow === 'all' ? 'followed' : 'stray',
      parent: this.#process,
      ...(isShared && { space }),
    })
    child.settings.options = settings.options
    child.main.options = creator?.optionsAtStop ?? unknownOptions
    child.main.isUnborn = true
    // The child's copy of the memory has the breakpoints in it.
    if (!isShared && space.hasBreakpoints) child.births.#copied = space
    if (child.kind === 'followed') {
      this.#process.children.add(child)
      this.#process.faces?.follow(child)
    }
    return child.main
  }

  /** Adds a thread that was seized. */
  addSeized(tid: number): void {
    const task = this.#addThread(tid, this.#process.settings.options)
    task.isUnborn = false
    task.watched.check()
  }

  /** A child that no event has announced: its creator was killed first. */
  adopt(pid: number): void {
    const run = this.#finishedRun()
    const first = followingOf(this.#process.system).takeEarly(pid)
    if (first === undefined) return
    const event = { kind: 'stopped', signal: 'SIGTRAP', event: 'fork' } as const
    const task = this.#addProcess(undefined, event, pid, tracingOf(first.status))
    task.changed(first)
    run?.(task.owner as TracedProcess).catch(() => {})
  }

  /** A run() that had ended before this child was found: it must run the child to its end, too. */
  #finishedRun(): TracedProcess['run'] {
    for (let each: TracedProcess | null = this.#process; each !== null; each = each.parent) {
      if (each.run !== undefined && each.isTreeOver) return each.run
    }
    return undefined
  }

  /** The first stop of a task. */
  born(task: Task, status: StopStatus): void {
    task.isUnborn = false
    this.#process.settings.apply(task)
    const { heldBack, isBirthStopDue } = firstStop(status, this.#process.tracing!)
    task.heldBack = heldBack
    task.isBirthStopDue = isBirthStopDue
    task.isSignalDropped = heldBack === null && status.event === undefined
    if (this.#process.settings.watches.isUsed) this.#process.settings.watches.apply(task)
    if (task.isMain) {
      this.#copied?.restoreCopy(this.#process.pid)
      this.#copied = undefined
    }
    if (this.#process.kind === 'stray' && task.isMain && !this.#process.space.hasBreakpoints) this.#strayStopped(task)
    else this.#process.showOrPass(task, { kind: 'stopped', signal: 'SIGTRAP', event: 'stop', reason: 'birth' })
  }

  /** Detaches from a child that is not followed, once the SIGSTOP of its birth is taken. */
  #strayStopped(task: Task): void {
    const { heldBack } = task
    task.heldBack = null
    if (task.isBirthStopDue) {
      // A signal has come first. The program gets it, and the SIGSTOP stops it before its first instruction.
      this.#process.system.ptraceCont(task.tid, heldBack?.signal)
    } else this.#process.release(heldBack?.event === undefined ? heldBack?.signal : undefined)
  }

  /** The SIGSTOP of a birth came after another signal. */
  birthStopCame(task: Task): void {
    if (this.#process.kind === 'stray' && !this.#process.space.hasBreakpoints) this.#process.release(undefined)
    else task.again()
  }
}
