/** What a recorder has seen so far: columns, and the events in them. */

import type { Clock } from '../base/clock.ts'
import type { Task } from '../processes/task.ts'
import type { TimelineColumn, TimelineEventKind } from './parts.ts'
import type { Draft } from './tidy.ts'

/** A column of a run being recorded. */
export interface Column extends TimelineColumn {
  readonly task: Task
  /** Description of its first step. */
  readonly firstStep: string
}

/** A run being recorded. */
export class Recording {
  readonly columns: Column[] = []
  readonly drafts: Draft[] = []
  /** Index of the latest event, to which signals, forks and closes are attributed; -1 before the first. */
  latest = -1
  readonly #clock: Clock
  readonly #columnOf = new Map<Task, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Index of a task's column. */
  columnOf(task: Task): number {
    return this.#columnOf.get(task)!
  }

  addColumn(task: Task, bornAt: number | undefined, firstStep = ''): void {
    this.#columnOf.set(task, this.columns.length)
    this.columns.push({ pid: task.process.id, tid: task.tid, name: '', bornAt, task, firstStep })
  }

  /** Adds an event; its index. */
  add(task: Task, kind: TimelineEventKind, text: string, more: Partial<Draft> = {}): number {
    const column = this.columnOf(task)
    const atMs = this.#clock.now()
    this.latest = this.drafts.length
    this.drafts.push({ column, kind, text, atMs, mark: undefined, objects: [], follows: undefined, ...more })
    return this.latest
  }
}
