/**
 * The resources that each move touches, collected from the kernel's tracepoints. Two moves that touch nothing in common
 * are independent: their order makes no difference.
 *
 * A tracepoint missed here makes an exhaustive exploration unsound: it would leave out schedules that differ.
 */

import type { OpenFile } from '../files/open-file.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Probes } from '../kernel/tracepoints.ts'
import type { Process } from '../processes/process.ts'
import type { Task } from '../processes/task.ts'

/** The resource of a move that depends on every other move. */
export const everything = 0

/** A resource is a number, the same in every run: an id times {@link kinds}, plus its kind. */
const kinds = 8
const numbers = 1
const groups = 2
const ofObject = (id: number) => id * kinds + 3
const ofProcess = (id: number) => id * kinds + 4
const ofTask = (id: number) => id * kinds + 5
/** The number of references to a file. */
const ofHolders = (id: number) => id * kinds + 6
/** A child's news for the host's listeners. One resource per child: the order of different children does not matter. */
const ofNews = (sender: number) => sender * kinds + 7

/** Collects the resources that the current move touches. */
export class Dependencies {
  /** Resources that wake sleeping moves which touch them too. */
  touched = new Set<number>()
  /**
   * Resources that, besides {@link touched}, wake this move while it sleeps: reference counts it lowers that stay well
   * above zero. A later drop to zero depends on this move, so it must wake it; this move depends on no later drop.
   */
  wakesSelfOnly = new Set<number>()
  #kernel!: Kernel
  readonly #probes: Probes = {
    moves: (_actor, task) => {
      if (task !== null) this.#own(task)
    },
    used: file => this.#file(file),
    finished: file => this.#file(file),
    dropped: (file, left) => {
      if (file.hasState) (left > 1 ? this.wakesSelfOnly : this.touched).add(ofHolders(file.id))
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
    wakeTaken: task => this.touched.add(ofTask(task.id)),
    timePasses: () => this.touched.add(everything),
    worldUsed: () => this.touched.add(everything),
  }

  /** Attaches to a new world. */
  begin(kernel: Kernel): void {
    this.#kernel = kernel
    this.clear()
    kernel.trace.attach(this.#probes)
  }

  /** The next move begins. */
  clear(): void {
    this.touched = new Set()
    if (this.wakesSelfOnly.size > 0) this.wakesSelfOnly = new Set()
  }

  /** A step touches the whole process if it has several threads, except a load or store, which touches its cell. */
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

  /** A use of a file is a use of its other end too. */
  #file(file: OpenFile): void {
    if (!file.hasState) return
    this.touched.add(ofObject(file.id))
    if (file.counterpart !== undefined) this.touched.add(ofObject(file.counterpart.id))
  }
}
