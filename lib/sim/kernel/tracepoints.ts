/** A kernel's tracepoints, and the probes of recorders, explorations and the race detector attached to them. */

import { removeFrom } from '../base/remove-from.ts'
import type { Actor } from '../base/scheduler.ts'
import type { Tracepoint } from '../base/tracepoint.ts'
import { ProcessTracepoints } from '../processes/machine.ts'
import type { Task } from '../processes/task.ts'
import type { Awaited } from './awaited.ts'

/** A cell of shared memory, as a tracepoint sees it. */
export interface TracedCell {
  readonly id: number
  readonly name: string
  /** Its accesses order each other, and none of them races. */
  readonly atomic: boolean
}

/** The kernel's own tracepoints, besides those of processes and files. */
class KernelTracepoints extends ProcessTracepoints {
  /** Before each move: a step of `task`, a host call, or a settlement. `task` is null for a fault. */
  moves: Tracepoint<[actor: Actor, task: Task | null]> = null
  /** An access to shared memory, after a load and before a store. */
  cellAccessed: Tracepoint<[cell: TracedCell, task: Task, call: 'load' | 'store', value: unknown]> = null
  /** No task can step, and time passes to the next timer. */
  timePasses: Tracepoint<[time: Actor]> = null
  /** A task reads the clock, which is no move. */
  clockRead: Tracepoint<[task: Task]> = null
  /** A chosen fault happens: an errno or 'short' in the task's current call, or SIGKILL. */
  faulted: Tracepoint<[task: Task, what: string]> = null
  /** The host begins to await something. */
  awaiting: Tracepoint<[awaited: Awaited]> = null
  /** Something awaited is about to settle. */
  settling: Tracepoint<[awaited: Awaited]> = null
  /** Something awaited is aborted or fails. */
  rejecting: Tracepoint<[awaited: Awaited, reason: unknown]> = null
  /** A SIGCHLD is there for the host's listeners. */
  newsArrived: Tracepoint<[news: Awaited]> = null
  /** The host's SIGCHLD listeners are about to be called. */
  newsHeard: Tracepoint<[news: Awaited]> = null
  /** State on which any move may depend is read or changed. */
  worldUsed: Tracepoint<[]> = null
}

/** A function attached to a tracepoint. It must not change the kernel, not even through calls it makes. */
export type Probe<Name extends keyof KernelTracepoints> = NonNullable<KernelTracepoints[Name]>

/** Probes by the names of their tracepoints. */
export type Probes = { readonly [Name in keyof KernelTracepoints]?: Probe<Name> }

type AnyProbe = (a?: unknown, b?: unknown, c?: unknown, d?: unknown) => void
type Named<Value> = Record<string, Value>

/** An immutable list of what is attached, the latest first. */
class Attached {
  readonly probes: Probes
  readonly before: Attached | null

  constructor(probes: Probes, before: Attached | null) {
    this.probes = probes
    this.before = before
  }
}

/** All tracepoints of a kernel. */
export class Tracepoints extends KernelTracepoints {
  #attached: Attached | null = null

  /** Attaches probes; they run after those attached before. */
  attach(probes: Probes): void {
    this.#attached = new Attached(probes, this.#attached)
    for (const name in probes) this.#add(name, (probes as Named<AnyProbe>)[name]!)
  }

  /** Detaches probes. */
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
