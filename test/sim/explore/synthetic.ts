/** Tasks that only touch objects, so that the number of their schedules is known. */

import { Oracle } from '../../../lib/sim/explore/oracle.ts'
import type { Strategy } from '../../../lib/sim/explore/strategy.ts'
import type { Kernel } from '../../../lib/sim/kernel/kernel.ts'
import { Tracepoints } from '../../../lib/sim/kernel/tracepoints.ts'
import type { Task } from '../../../lib/sim/processes/task.ts'

interface Counts {
  /** Schedules counted, and schedules given up as repetitions. */
  schedules: number
  redundant: number
  /** The orders of moves seen, equal if the moves on each single object have the same order. */
  traces: Set<string>
}

/** Runs `tasks` under every schedule of a strategy. A task is a list of the objects that its moves touch. */
export function countSchedules(strategy: Strategy, tasks: readonly (readonly number[])[], keepTraces = true): Counts {
  const oracle = new Oracle(strategy)
  const counts: Counts = { schedules: 0, redundant: 0, traces: new Set() }
  while (strategy.next()) {
    const trace = new Tracepoints()
    // The part of a kernel and its tasks that an oracle and a strategy use.
    oracle.begin({ trace } as Kernel)
    const left = tasks.map((objects, id) => {
      const task = { id, label: `task ${id}`, process: { tasks: [] }, frames: [] } as unknown as Task
      return { task, objects: [...objects] }
    })
    const byObject = new Map<number, string>()
    for (;;) {
      const options = left.filter(({ objects }) => objects.length > 0)
      if (options.length === 0) break
      const { task, objects } =
        options.length === 1
          ? options[0]!
          : options[oracle.choose({ kind: 'step', options: options.map(option => option.task) })]!
      trace.moves?.(task, task)
      const object = objects.shift()!
      trace.cellAccessed?.({ id: object, name: '', atomic: false }, task, 'store', null)
      if (keepTraces) byObject.set(object, `${byObject.get(object) ?? ''}${task.id}`)
    }
    if (strategy.end()) counts.schedules++
    else counts.redundant++
    if (keepTraces) counts.traces.add(JSON.stringify([...byObject].sort()))
  }
  return counts
}
