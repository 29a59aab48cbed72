/** The facts that a kernel tells, and the probes attached to them: how a run is watched, drawn, explored and checked for races. */

import { removeFrom } from '../base/remove-from.ts'
import type { Actor } from '../base/scheduler.ts'
import type { Tracepoint } from '../base/tracepoint.ts'
import { youngArray } from '../base/young-array.ts'
import { ProcessTracepoints } from '../processes/machine.ts'
import type { Task } from '../processes/task.ts'
import type { Awaited } from './awaited.ts'

/** A variable in shared memory, as a fact shows it. */
export interface TracedCell {
  readonly id: number
  readonly name: string
}

/** The facts that the kernel itself tells, besides those of its processes and their files. */
class KernelFacts extends ProcessTracepoints {
  /** Before each move: a step of `task`, a call of the host, or something awaited that settles; a fault is no move of any task. */
  moves: Tracepoint<[actor: Actor, task: Task | null]> = null
  /** An access to shared memory, after a load and before a store. */
  cellAccessed: Tracepoint<[cell: TracedCell, task: Task, call: 'load' | 'store', value: unknown]> = null
  /** The time is asked for, which is no move. */
  clockRead: Tracepoint<[task: Task]> = null
  /** Something goes wrong that was chosen to: an errno or 'short' in the task's call under way, or SIGKILL. */
  faulted: Tracepoint<[task: Task, what: string]> = null
  /** The host begins to await something. */
  awaiting: Tracepoint<[awaited: Awaited]> = null
  /** What the host awaits comes true. */
  settling: Tracepoint<[awaited: Awaited]> = null
  /** What the host awaits is given up, or cannot come. */
  rejecting: Tracepoint<[awaited: Awaited, reason: unknown]> = null
  /** News of a child is there for the host's listeners. */
  newsArrived: Tracepoint<[news: Awaited]> = null
  /** The host's listeners are about to hear the news. */
  newsHeard: Tracepoint<[news: Awaited]> = null
  /** Something was changed on which every next move may depend. */
  worldChanged: Tracepoint<[]> = null
}

/** Functions to attach, by the names of their tracepoints. A probe only looks: what it calls of the kernel must change nothing. */
export type Probes = { readonly [Name in keyof KernelFacts]?: NonNullable<KernelFacts[Name]> }

type AnyProbe = (a?: unknown, b?: unknown, c?: unknown, d?: unknown) => void

/** All tracepoints of a kernel. */
export class Tracepoints extends KernelFacts {
  readonly #attached = youngArray<Probes>()

  /** Has the probes called from now on, after those that were attached before. */
  attach(probes: Probes): void {
    this.#attached.push(probes)
    const points = this.#points
    for (const [name, probe] of Object.entries(probes) as [string, AnyProbe][]) {
      points[name] = both(points[name] ?? null, probe)
    }
  }

  /** Has them called no more. */
  detach(probes: Probes): void {
    removeFrom(this.#attached, probes)
    const points = this.#points
    for (const name of Object.keys(probes)) {
      points[name] = null
      for (const each of this.#attached as Record<string, AnyProbe>[]) {
        if (each[name] !== undefined) points[name] = both(points[name], each[name])
      }
    }
  }

  get #points(): Record<string, AnyProbe | null> {
    return this as unknown as Record<string, AnyProbe | null>
  }
}

function both(first: AnyProbe | null, second: AnyProbe): AnyProbe {
  if (first === null) return second
  return (a, b, c, d) => {
    first(a, b, c, d)
    second(a, b, c, d)
  }
}
