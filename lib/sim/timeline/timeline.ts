/** Timelines of runs. */

import { renderMermaid } from './mermaid.ts'
import type { TimelineArrow, TimelineColumn, TimelineEvent, TimelineParts } from './parts.ts'
import { renderSvg } from './svg.ts'
import { renderText } from './text.ts'

/**
 * A recorded run: one column per process or thread, time downwards.
 *
 * @example
 * const { failure } = await explore(scenario)
 * if (failure) writeFileSync('failure.svg', failure.timeline.toSvg())
 */
export class Timeline implements TimelineParts {
  /** A column for each process and thread, from left to right. */
  readonly columns: readonly TimelineColumn[]
  /** The events, in order. */
  readonly events: readonly TimelineEvent[]
  /** The arrows between events. */
  readonly arrows: readonly TimelineArrow[]

  constructor({ columns, events, arrows }: TimelineParts) {
    this.columns = columns
    this.events = events
    this.arrows = arrows
  }

  /** Text for a terminal, one line per event. `◀ 4` marks something that came from line 4. */
  toString(): string {
    return renderText(this)
  }

  /** A Mermaid sequenceDiagram. */
  toMermaid(): string {
    return renderMermaid(this)
  }

  /** A self-contained SVG document, for light and dark backgrounds. */
  toSvg(): string {
    return renderSvg(this)
  }
}
