/** All that happens in a run, to compare another one with. */

import type { Kernel } from '../kernel/kernel.ts'
import type { KernelEvent } from '../kernel/observer.ts'

export class EventLog {
  readonly #events: string[] = []

  /** Writes down what happens from now on. */
  record(kernel: Kernel): void {
    kernel.observer = event => this.#events.push(describe(event))
  }

  /** The first event that differs; null when there is none. */
  difference(other: EventLog): string | null {
    const [before, now] = [this.#events, other.#events]
    const at = before.findIndex((event, index) => event !== now[index])
    const index = at < 0 ? before.length : at
    if (at < 0 && now.length === before.length) return null
    return `event ${index} was ${before[index] ?? 'the end'}, and is now ${now[index] ?? 'the end'}`
  }
}

function describe(event: KernelEvent): string {
  switch (event.kind) {
    case 'call':
      return `${event.task.label}: ${event.method ?? event.name}(${given(event.args ?? [])
        .map(shown)
        .join(', ')})`
    case 'result':
      return `${event.task.label}: = ${shown(event.result)}`
    case 'await':
    case 'settle':
    case 'reject':
      return `${event.kind} ${event.awaited.label}`
    case 'finished':
      return `the end of ${event.file.description}`
    case 'signal':
    case 'handler':
      return `${event.kind} ${event.signal} of ${event.task.label}`
    case 'fork':
      return `${event.task.label}: child ${event.child.label}`
    default:
      return `${event.kind} of ${event.task.label}`
  }
}

/** The arguments up to the last that was given. */
function given(args: readonly unknown[]): readonly unknown[] {
  return args.slice(0, args.findLastIndex(arg => arg !== undefined) + 1)
}

/** An argument or a result: numbers and strings as they are, bytes by their number. */
function shown(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (typeof value === 'number' || typeof value === 'string') return String(value)
  return value === null || value === undefined ? '' : typeof value
}
