/** Tasks that do nothing but touch objects: schedules of which it is known how many there are. */

import { Oracle } from '../../../lib/sim/explore/oracle.ts'
import type { Strategy } from '../../../lib/sim/explore/strategy.ts'
import type { Kernel, KernelObject } from '../../../lib/sim/kernel/kernel.ts'

/** What of a kernel an oracle and a strategy use. */
interface Hooks {
  host: object
  onMove: ((actor: object) => void) | null
  onTouch: ((object: KernelObject, aspect: 'all') => void) | null
}

interface Counts {
  /** Schedules that count, and those given up as repetitions. */
  schedules: number
  redundant: number
  /** The orders of moves seen, as long as only the order of moves on one object matters. */
  traces: Set<string>
}

/** Runs `tasks` (each a list of the objects its moves touch) under every schedule of a strategy. */
export function countSchedules(strategy: Strategy, tasks: readonly (readonly number[])[], keepTraces = true): Counts {
  const oracle = new Oracle(strategy)
  const counts: Counts = { schedules: 0, redundant: 0, traces: new Set() }
  while (strategy.next()) {
    const hooks: Hooks = { host: {}, onMove: null, onTouch: null }
    oracle.begin(hooks as unknown as Kernel)
    const left = tasks.map((objects, id) => ({ id, label: `task ${id}`, objects: [...objects] }))
    const byObject = new Map<number, string>()
    for (;;) {
      const options = left.filter(({ objects }) => objects.length > 0)
      if (options.length === 0) break
      const chosen = options.length === 1 ? options[0]! : options[oracle.choose({ kind: 'step', options })]!
      hooks.onMove?.(chosen)
      const object = chosen.objects.shift()!
      hooks.onTouch?.({ id: object }, 'all')
      if (keepTraces) byObject.set(object, `${byObject.get(object) ?? ''}${chosen.id}`)
    }
    if (strategy.end()) counts.schedules++
    else counts.redundant++
    if (keepTraces) counts.traces.add(JSON.stringify([...byObject].sort()))
  }
  return counts
}
