/** The facts that a kernel tells, and the probes attached to them: how a run is watched, drawn, explored and checked for races. */

import { removeFrom } from '../base/remove-from.ts'
import type { Actor } from '../base/scheduler.ts'
import type { Tracepoint } from '../base/tracepoint.ts'
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

/** A function to attach to a tracepoint. It only looks: what it calls of the kernel must change nothing. */
export type Probe<Name extends keyof KernelFacts> = NonNullable<KernelFacts[Name]>

/** Functions to attach, by the names of their tracepoints. */
export type Probes = { readonly [Name in keyof KernelFacts]?: Probe<Name> }

type AnyProbe = (a?: unknown, b?: unknown, c?: unknown, d?: unknown) => void
type Named<Value> = Record<string, Value>

/** A list of what is attached, the latest first; made anew with each change. */
class Attached {
  readonly probes: Probes
  readonly before: Attached | null

  constructor(probes: Probes, before: Attached | null) {
    this.probes = probes
    this.before = before
  }
}

/** All tracepoints of a kernel. */
export class Tracepoints extends KernelFacts {
  #attached: Attached | null = null

  /** Has the probes called from now on, after those that were attached before. */
  attach(probes: Probes): void {
    this.#attached = new Attached(probes, this.#attached)
    for (const name in probes) this.#add(name, (probes as Named<AnyProbe>)[name]!)
  }

  /** Has them called no more. */
  detach(probes: Probes): void {
    const others: Probes[] = []
    for (let each = this.#attached; each !== null; each = each.before) others.unshift(each.probes)
    removeFrom(others, probes)
    this.#attached = null
    for (const name in probes) (this as unknown as Named<AnyProbe | null>)[name] = null
    for (const other of others) {
      this.#attached = new Attached(other, this.#attached)
      for (const name in other) if (name in probes) this.#add(name, (other as Named<AnyProbe>)[name]!)
    }
  }

  #add(name: string, probe: AnyProbe): void {
    const points = this as unknown as Named<AnyProbe | null>
    const before = points[name] ?? null
    points[name] = before === null ? probe : both(before, probe)
  }
}

function both(first: AnyProbe, second: AnyProbe): AnyProbe {
  return (a, b, c, d) => {
    first(a, b, c, d)
    second(a, b, c, d)
  }
}
