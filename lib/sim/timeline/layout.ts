/**
 * Positions of everything in a timeline's picture, in pixels.
 *
 * No arrow ever crosses a text. Arrows go down only in the gutters between columns, and sideways only in the rows of
 * their two ends, where no other column has an event. A column is as wide as its widest event.
 */

import type { TimelineArrow, TimelineColumn, TimelineEvent, TimelineParts } from './parts.ts'
import { asidesOf, markLines, shownText } from './text.ts'
import { wrap } from './wrap.ts'

export const fontSize = 12
/** The advance of a monospaced letter. The padding absorbs the differences between fonts. */
const letterWidth = fontSize * 0.602
export const lineHeight = 15
const rowPadding = 7
const asideHeight = 20
const laneWidth = 8
const gutterMargin = 14
export const chipPadding = 6
/** Distance from a lifeline to the texts beside it. */
const chipOffset = 12
export const margin = 14
const departureOffset = 5
export const headHeight = 22

/** An event's texts and the box around them. */
export interface PlacedEvent {
  readonly event: TimelineEvent
  readonly index: number
  /** The box's left edge, and the row's top. */
  readonly x: number
  readonly top: number
  readonly width: number
  readonly height: number
  readonly lines: readonly string[]
  /** Text of its finding mark, below it. */
  readonly markLines: readonly string[]
  /** Height at which its arrows begin and end. */
  readonly y: number
}

export interface PlacedColumn {
  readonly column: TimelineColumn
  /** Position of its lifeline. */
  readonly x: number
  readonly title: string
  /** The box with its name: at the top, or in the row of its birth. */
  readonly headTop: number
  readonly headWidth: number
}

/** The corners of an arrow's path. */
export interface PlacedArrow {
  readonly arrow: TimelineArrow
  readonly points: readonly (readonly [x: number, y: number])[]
}

/** A note between two rows: a new time, or a number of events left out. */
export interface PlacedAside {
  readonly y: number
  readonly text: string
}

export interface Layout {
  readonly width: number
  readonly height: number
  readonly numbersX: number
  readonly columns: readonly PlacedColumn[]
  readonly events: readonly PlacedEvent[]
  readonly arrows: readonly PlacedArrow[]
  readonly asides: readonly PlacedAside[]
}

/** Width of a text in pixels. */
export function textWidth(text: string): number {
  return text.length * letterWidth
}

/** The title of a column. */
function titleOf({ pid, tid, name }: TimelineColumn): string {
  return tid === pid ? `${name} ${pid}` : `thread ${tid} of ${pid}`
}

export function layOut(timeline: TimelineParts): Layout {
  const { columns, events } = timeline
  const lines = events.map(event => wrap(shownText(event)))
  const findings = events.map(markLines)
  const { tops, heights, asides, bottom } = placeRows(timeline, lines, findings)
  const widthOf = (index: number) =>
    Math.max(...[...lines[index]!, ...findings[index]!].map(textWidth)) + 2 * chipPadding
  const contents = columns.map((column, at) =>
    Math.max(
      textWidth(titleOf(column)) + 2 * chipPadding - chipOffset,
      ...events.map((event, index) => (event.column === at ? widthOf(index) : 0)),
    ),
  )
  const lanes = assignLanes(timeline)
  const numbersX = margin + textWidth(String(events.length))
  const xs: number[] = []
  let x = numbersX + margin
  for (const at of columns.keys()) {
    // The gutter to the left of a column.
    x += at === 0 ? gutterMargin : gutterMargin * 2 + lanes.counts[at]! * laneWidth
    xs.push(x)
    x += chipOffset + contents[at]!
  }
  const placed: PlacedEvent[] = events.map((event, index) => ({
    event,
    index,
    x: xs[event.column]! + chipOffset,
    top: tops[index]!,
    width: widthOf(index),
    height: heights[index]!,
    lines: lines[index]!,
    markLines: findings[index]!,
    y: tops[index]! + rowPadding / 2 + lineHeight / 2,
  }))
  return {
    width: x + gutterMargin + lanes.counts[columns.length]! * laneWidth + margin,
    height: bottom + margin,
    numbersX,
    columns: columns.map((column, at) => ({
      column,
      x: xs[at]!,
      title: titleOf(column),
      headTop: column.bornAt === undefined ? margin : placed[column.bornAt]!.y - headHeight / 2,
      headWidth: textWidth(titleOf(column)) + 2 * chipPadding,
    })),
    events: placed,
    arrows: timeline.arrows.map((arrow, index) => {
      const sides = sidesOf(arrow, events)
      const meets = timeline.arrows.some(other => other.to === arrow.from && sidesOf(other, events).end === sides.start)
      return { arrow, points: route(placed[arrow.from]!, placed[arrow.to]!, xs, lanes.lane[index]!, meets) }
    }),
    asides,
  }
}

function placeRows({ events, columns }: TimelineParts, lines: readonly string[][], findings: readonly string[][]) {
  const tops: number[] = []
  const heights: number[] = []
  const asides: PlacedAside[] = []
  let y = margin + headHeight + rowPadding
  const texts = asidesOf(events)
  for (const index of events.keys()) {
    for (const text of texts[index]!) {
      asides.push({ y: y + asideHeight / 2, text })
      y += asideHeight
    }
    const isBirth = columns.some(({ bornAt }) => bornAt === index)
    if (isBirth) y += rowPadding / 2
    tops.push(y)
    const height = (lines[index]!.length + findings[index]!.length) * lineHeight + rowPadding
    heights.push(height)
    y += height + (isBirth ? rowPadding : 0)
  }
  return { tops, heights, asides, bottom: y + rowPadding }
}

/** The gutter that an arrow goes down in, as the index of the column to its right. */
function gutterOf({ from, to }: TimelineArrow, events: readonly TimelineEvent[]): number {
  const [source, target] = [events[from]!.column, events[to]!.column]
  return source < target ? source + 1 : source
}

/** Gives each arrow a lane of its gutter, distinct from those of the arrows it overlaps. */
function assignLanes({ columns, events, arrows }: TimelineParts): { lane: number[]; counts: number[] } {
  const counts = Array.from({ length: columns.length + 1 }, () => 0)
  const lane: number[] = []
  const taken: { gutter: number; lane: number; from: number; to: number }[] = []
  for (const arrow of arrows) {
    const gutter = gutterOf(arrow, events)
    const [from, to] = [Math.min(arrow.from, arrow.to), Math.max(arrow.from, arrow.to)]
    const others = taken.filter(other => other.gutter === gutter && other.from <= to && from <= other.to)
    let free = 0
    while (others.some(other => other.lane === free)) free++
    taken.push({ gutter, lane: free, from, to })
    lane.push(free)
    counts[gutter] = Math.max(counts[gutter]!, free + 1)
  }
  return { lane, counts }
}

/** The sides of its two events at which an arrow begins and ends. */
function sidesOf({ from, to }: TimelineArrow, events: readonly TimelineEvent[]): { start: Side; end: Side } {
  return events[from]!.column < events[to]!.column ? { start: 'right', end: 'left' } : { start: 'left', end: 'right' }
}

type Side = 'left' | 'right'

/** Path: out of the source's row, down the gutter, into the target's row. It starts lower where other arrows end. */
function route(
  source: PlacedEvent,
  target: PlacedEvent,
  xs: readonly number[],
  lane: number,
  meetsOthers: boolean,
): (readonly [number, number])[] {
  const toRight = source.event.column < target.event.column
  const gutter = xs[toRight ? source.event.column + 1 : source.event.column]! - gutterMargin - lane * laneWidth
  const start = toRight ? source.x + source.width : xs[source.event.column]! - 4
  const end = toRight ? xs[target.event.column]! - 5 : target.x + target.width + 1
  const startY = source.y + (meetsOthers ? departureOffset : 0)
  return [
    [start, startY],
    [gutter, startY],
    [gutter, target.y],
    [end, target.y],
  ]
}
