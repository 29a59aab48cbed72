/** The stops of a tree of processes, in the order seen: each once, and only while its thread is at it. */

import { privateCallsOf } from '../../../system/private-calls.ts'
import type { System } from '../../../system/system.ts'
import { takeChanges, watchOf } from '../../children/child-watch.ts'
import type { Task } from '../tasks/task.ts'
import type { Stop } from '../tasks/task-state.ts'
import { shownStop } from './describe-stop.ts'

export interface ShownStop {
  readonly task: Task
  readonly stop: Stop
}

export class StopFeed {
  readonly #system: System
  readonly #isOver: () => boolean
  readonly #queue: Task[] = []
  readonly #given = new WeakMap<Task, Stop>()
  #wake: (() => void) | undefined
  #mayLook = true
  #error: Error | undefined
  // The task whose stop has woken the loop, and the count of resumptions at that time.
  #fresh: Task | undefined
  #resumptions: number | undefined

  constructor(system: System, isOver: () => boolean) {
    this.#system = system
    this.#isOver = isOver
  }

  push(task: Task): void {
    this.#queue.push(task)
    if (this.#wake !== undefined) {
      this.#fresh = task
      this.#resumptions = privateCallsOf(this.#system)?.resumptions?.()
    }
    this.wake()
  }

  /** Has next() check again whether the tree has ended. */
  wake(): void {
    this.#wake?.()
    this.#wake = undefined
  }

  /** The process was lost to another waiter. */
  fail(error: Error): void {
    this.#error ??= error
    this.wake()
  }

  /** The next stop; undefined once everything has ended. */
  async next(): Promise<ShownStop | undefined> {
    for (;;) {
      const found = this.#first() ?? this.#look()
      if (found !== undefined) return found
      if (this.#error !== undefined) throw this.#error
      if (this.#isOver()) return this.#unannounced()
      await new Promise<void>(resolve => {
        this.#mayLook = true
        this.#wake = resolve
        if (this.#queue.length > 0 || this.#error !== undefined || this.#isOver()) this.wake()
      })
    }
  }

  /** The stop of a child that was not announced, since its creator was killed: the tree has not ended yet. */
  #unannounced(): ShownStop | undefined {
    takeChanges(this.#system)
    return this.#first()
  }

  /**
   * Takes the pending changes, at most once in a turn of the event loop: threads that stop all the time would starve
   * everything else. With many tracees a look takes longer than a turn, and SIGCHLD causes one in each turn anyway.
   */
  #look(): ShownStop | undefined {
    if (!this.#mayLook) return undefined
    this.#mayLook = false
    if (watchOf(this.#system).hasManyTracees) return undefined
    takeChanges(this.#system)
    return this.#first()
  }

  /** Whether the task's stop has just come, and no tracee was resumed since: it is still there, without a look. */
  #isFresh(task: Task): boolean {
    const isFresh = task === this.#fresh && this.#resumptions !== undefined
    this.#fresh = undefined
    return isFresh && privateCallsOf(this.#system)?.resumptions?.() === this.#resumptions
  }

  #first(): ShownStop | undefined {
    for (;;) {
      const task = this.#queue.shift()
      if (task === undefined) return undefined
      if (task.stop !== null && !this.#isFresh(task)) task.look()
      const stop = shownStop(task)
      // A stop of stopAll() is not shown.
      if (stop === null || task.isStopHidden || this.#given.get(task) === stop) continue
      this.#given.set(task, stop)
      return { task, stop }
    }
  }
}

/** The feeds that a process's stops go to: its own, and those of the processes that it is followed from. */
export class StopFeeds {
  readonly #parent: StopFeeds | undefined
  readonly #own = new Set<StopFeed>()

  constructor(parent: StopFeeds | undefined) {
    this.#parent = parent
  }

  /** The number of feeds, including those of the processes that it is followed from. */
  get count(): number {
    return this.#own.size + (this.#parent?.count ?? 0)
  }

  add(feed: StopFeed): void {
    this.#own.add(feed)
  }

  delete(feed: StopFeed): void {
    this.#own.delete(feed)
  }

  push(task: Task): void {
    this.#each(feed => feed.push(task))
  }

  wake(): void {
    this.#each(feed => feed.wake())
  }

  fail(error: Error): void {
    this.#each(feed => feed.fail(error))
  }

  #each(act: (feed: StopFeed) => void): void {
    if (this.#own.size > 0) for (const feed of [...this.#own]) act(feed)
    if (this.#parent !== undefined) this.#parent.#each(act)
  }
}
