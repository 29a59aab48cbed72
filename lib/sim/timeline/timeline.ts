/** A run, to be drawn. */

import { renderMermaid } from './mermaid.ts'
import type { TimelineArrow, TimelineColumn, TimelineEvent, TimelineParts } from './parts.ts'
import { renderSvg } from './svg.ts'
import { renderText } from './text.ts'

/**
 * A run, drawn: one column a process, time downwards.
 *
 * @example
 * const { failure } = await explore(scenario)
 * if (failure) writeFileSync('failure.svg', failure.timeline.toSvg())
 */
export class Timeline implements TimelineParts {
  /** One for each process and thread, from left to right. */
  readonly columns: readonly TimelineColumn[]
  /** What happened, in its order. */
  readonly events: readonly TimelineEvent[]
  /** What led from one event to another. */
  readonly arrows: readonly TimelineArrow[]

  constructor({ columns, events, arrows }: TimelineParts) {
    this.columns = columns
    this.events = events
    this.arrows = arrows
  }

  /** For a terminal: one line an event, `◀ 4` for what came from line 4. */
  toString(): string {
    return renderText(this)
  }

  /** A Mermaid sequenceDiagram. */
  toMermaid(): string {
    return renderMermaid(this)
  }

  /** A picture of its own: an SVG document for light and dark backgrounds. */
  toSvg(): string {
    return renderSvg(this)
  }
}
