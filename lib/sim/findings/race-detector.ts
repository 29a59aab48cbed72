/** Finds data races: accesses of tasks to one cell that no happens-before order separates. */

import { youngArray } from '../base/young-array.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Probe, Probes, TracedCell } from '../kernel/tracepoints.ts'
import type { Task } from '../processes/task.ts'
import { type CellAccess, DataRaceError } from './data-race.ts'
import { HappensBefore } from './happens-before.ts'
import type { TaskClock } from './vector-clock.ts'

class Access {
  readonly task: Task
  /** The process's program at the access; an exec changes it later. */
  readonly program: string
  readonly clock: TaskClock
  readonly time: number
  readonly call: 'load' | 'store'
  readonly value: unknown
  readonly number: number

  constructor(task: Task, clock: TaskClock, call: 'load' | 'store', value: unknown, number: number) {
    this.task = task
    this.program = task.process.program
    this.clock = clock
    this.time = clock.timeOfAccess()
    this.call = call
    this.value = value
    this.number = number
  }
}

/** The accesses to a cell that a later one could race with. */
class History {
  accesses = 0
  store: Access | null = null
  /** The last load of each task since that store. */
  loads: Access[] = youngArray()
}

/**
 * Watches the cells of a kernel from its creation on, up to the first race of the run.
 *
 * A race depends on the order of calls, not of the accesses themselves: it is found in every schedule with both
 * accesses and the same order of calls, whichever access comes first.
 */
export class RaceDetector implements Probes {
  readonly #kernel: Kernel
  readonly #histories = new Map<TracedCell, History>()
  /** Null until the first access: no earlier event can order it and another access. */
  #order: HappensBefore | null = null
  #race: DataRaceError | undefined

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    kernel.trace.attach(this)
  }

  readonly cellAccessed: Probe<'cellAccessed'> = (cell, task, call, value) => this.#access(cell, task, call, value)

  /** Whether it tracks the happens-before order: from the first access to the first race. */
  get isOrdering(): boolean {
    return this.#order !== null
  }

  get race(): DataRaceError | undefined {
    return this.#race
  }

  #access(cell: TracedCell, task: Task, call: 'load' | 'store', value: unknown): void {
    if (cell.atomic) {
      // Until the first access to a plain cell there is nothing to order.
      this.#order?.accessedAtomically(cell, task, call)
      return
    }
    this.#order ??= new HappensBefore(this.#kernel)
    const clock = this.#order.clockOf(task)
    let history = this.#histories.get(cell)
    if (history === undefined) {
      history = new History()
      this.#histories.set(cell, history)
    }
    history.accesses++
    const access = new Access(task, clock, call, value, history.accesses)
    const rival = rivalOf(access, history)
    if (rival !== undefined) this.#found(cell, rival, access)
    else if (call === 'store') {
      history.store = access
      if (history.loads.length > 0) history.loads = youngArray()
    } else {
      const index = history.loads.findIndex(load => load.clock === clock)
      if (index < 0) history.loads.push(access)
      else history.loads[index] = access
    }
  }

  #found(cell: TracedCell, first: Access, second: Access): void {
    const { id, name } = cell
    this.#race = new DataRaceError({ id, name }, [reported(first), reported(second)])
    this.#kernel.trace.detach(this)
    this.#order?.end()
    this.#order = null
  }
}

/** An earlier access that this one races with. */
function rivalOf({ clock, call }: Access, { store, loads }: History): Access | undefined {
  const isBefore = (access: Access) => clock.covers(access.clock.index, access.time)
  if (store !== null && !isBefore(store)) return store
  return call === 'store' ? loads.find(load => !isBefore(load)) : undefined
}

function reported({ task, program, call, value, number }: Access): CellAccess {
  const pid = task.process.id
  const process = `${pid} (${program})`
  const name = task.tid === pid ? process : `thread ${task.tid} of ${process}`
  return { pid, tid: task.tid, name, call, value, number }
}
