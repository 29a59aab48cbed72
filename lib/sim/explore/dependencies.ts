/**
 * What each move depends on, told by the kernel's facts: two moves that touch nothing in common are independent, and their order is no
 * matter. A fact that is missing here would make an exhaustive exploration leave out schedules that differ.
 */

import type { OpenFile } from '../files/open-file.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Probes } from '../kernel/tracepoints.ts'
import type { Process } from '../processes/process.ts'
import type { Task } from '../processes/task.ts'

/** Depends on everything. */
export const everything = 0

/** What is touched, as a number that is the same in every run: what it is of, by a number of that kind. */
const kinds = 8
const numbers = 1
const groups = 2
const ofObject = (id: number) => id * kinds + 3
const ofProcess = (id: number) => id * kinds + 4
const ofTask = (id: number) => id * kinds + 5
/** How many hold a file. */
const ofHolders = (id: number) => id * kinds + 6
/** That the host is told of a change of a child: each child tells of itself, in whatever order. */
const ofNews = (sender: number) => sender * kinds + 7

/** Collects what the move under way touches. */
export class Dependencies {
  /** What wakes moves that are put off because they touch it, too. */
  touched = new Set<number>()
  /**
   * What wakes this move while it is put off, besides: that a number of holders was lowered and stays well above zero. A later drop depends
   * on it; it depends on no later drop.
   */
  minded = new Set<number>()
  #kernel!: Kernel
  readonly #probes: Probes = {
    moves: (_actor, task) => {
      if (task !== null) this.#own(task)
    },
    used: file => this.#file(file),
    finished: file => this.#file(file),
    dropped: (file, left) => {
      if (file.hasState) (left > 1 ? this.minded : this.touched).add(ofHolders(file.id))
    },

    processUsed: process => this.#process(process),
    waitStateUsed: process => this.touched.add(ofProcess(process.id)),
    numbersUsed: () => this.touched.add(numbers),
    groupsUsed: () => this.touched.add(groups),
    forked: (_parent, child) => {
      this.#process(child.process)
      this.touched.add(numbers)
    },
    reaped: task => {
      this.#process(task.process)
      this.touched.add(numbers)
    },
    parked: task => this.#process(task.process),
    signalSent: (task, _signal, _origin, asNews) => {
      if (!asNews) this.#process(task.process)
    },
    newsSent: sender => this.touched.add(ofNews(sender)),
    newsHeard: () => {
      this.touched.add(ofNews(0))
      for (const tid of this.#kernel.tasks.keys()) this.touched.add(ofNews(tid))
    },
    cellAccessed: cell => this.touched.add(ofObject(cell.id)),
    worldChanged: () => this.touched.add(everything),
  }

  /** Collects from a new world. */
  begin(kernel: Kernel): void {
    this.#kernel = kernel
    this.clear()
    kernel.trace.attach(this.#probes)
  }

  /** The next move begins. */
  clear(): void {
    this.touched = new Set()
    if (this.minded.size > 0) this.minded = new Set()
  }

  /** Threads share their descriptors and more; but an access to memory concerns nothing else. */
  #own(task: Task): void {
    const { process } = task
    const name = task.frames[task.frames.length - 1]?.request?.call.name
    const isShared = process.tasks.length > 1 && name !== 'load' && name !== 'store'
    if (isShared) this.#process(process)
    else this.touched.add(ofTask(task.id))
  }

  /** A process with its threads. */
  #process(process: Process): void {
    this.touched.add(ofProcess(process.id))
    for (const task of process.tasks) this.touched.add(ofTask(task.id))
  }

  /** A use of a file is one of its other end, too. */
  #file(file: OpenFile): void {
    if (!file.hasState) return
    this.touched.add(ofObject(file.id))
    if (file.counterpart !== undefined) this.touched.add(ofObject(file.counterpart.id))
  }
}
