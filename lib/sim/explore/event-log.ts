/** The events of a run as lines of text, to compare two runs. */

import { countOf } from '../base/count-of.ts'
import type { Kernel } from '../kernel/kernel.ts'

export class EventLog {
  readonly #events: string[] = []

  /** Records the events of a run, in place of those of a run before. */
  record(kernel: Kernel): void {
    this.#events.length = 0
    const add = (event: string) => {
      this.#events.push(event)
    }
    kernel.trace.attach({
      calling: ({ label }, { name, method }, args) =>
        add(`${label}: ${method ?? name}(${given(args).map(shown).join(', ')})`),
      answered: ({ label }, result) => add(`${label}: = ${shown(result)}`),
      awaiting: ({ label }) => add(`await ${label}`),
      settling: ({ label }) => add(`settle ${label}`),
      rejecting: ({ label }) => add(`reject ${label}`),
      finished: ({ description }) => add(`the end of ${description}`),
      signalSent: ({ label }, signal) => add(`signal ${signal} of ${label}`),
      handling: ({ label }, signal) => add(`handler ${signal} of ${label}`),
      forked: (parent, child) => add(`${parent.label}: child ${child.label}`),
      parked: ({ label }, state) => add(`${state === 'zombie' ? 'end' : 'stop'} of ${label}`),
      goesOn: ({ label }) => add(`go of ${label}`),
      executed: ({ label }) => add(`exec of ${label}`),
      exiting: ({ label }) => add(`exiting of ${label}`),
      faulted: ({ label }) => add(`fault of ${label}`),
    })
  }

  /** Describes the first event that differs; null if none does. */
  difference(other: EventLog): string | null {
    const [before, now] = [this.#events, other.#events]
    const at = before.findIndex((event, index) => event !== now[index])
    const index = at < 0 ? before.length : at
    if (at < 0 && now.length === before.length) return null
    return `event ${index} was ${before[index] ?? 'the end'} first, and ${now[index] ?? 'the end'} when it was repeated`
  }
}

/** The arguments without trailing undefined ones. */
function given(args: readonly unknown[]): readonly unknown[] {
  return args.slice(0, args.findLastIndex(arg => arg !== undefined) + 1)
}

/** An argument or a result: a number or string as it is, bytes as their count, anything else as its type. */
function shown(value: unknown): string {
  if (value instanceof Uint8Array) return countOf(value.length, 'byte')
  if (typeof value === 'number' || typeof value === 'string') return String(value)
  return value === null || value === undefined ? '' : typeof value
}
