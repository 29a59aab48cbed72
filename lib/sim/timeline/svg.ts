/** A timeline as a self-contained SVG document, for light and dark backgrounds. */

import {
  chipPadding,
  headHeight,
  type Layout,
  layOut,
  lineHeight,
  margin,
  type PlacedArrow,
  type PlacedAside,
  type PlacedColumn,
  type PlacedEvent,
  textWidth,
} from './layout.ts'
import type { TimelineArrow, TimelineEvent, TimelineEventKind, TimelineParts } from './parts.ts'
import { printable } from './printable.ts'
import { style } from './svg-style.ts'

const cornerRadius = 5
const barWidth = 7
const legendHeight = 30
/** The advance of a letter in labels, which are smaller than texts. */
const labelLetterWidth = 6.02

/** Renders the whole document. */
export function renderSvg(timeline: TimelineParts): string {
  const layout = layOut(timeline)
  const entries = legend(timeline)
  const legendWidth = entries.reduce((width, { text }) => width + textWidth(text) + 54, 28)
  const width = Math.ceil(Math.max(layout.width, legendWidth))
  const height = Math.ceil(layout.height + legendHeight)
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" role="img" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>${escapeXml(timeline.columns.map(({ pid, name }) => `${name} ${pid}`).join(', '))}</title>`,
    `<style>${style}</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    ...layout.events.flatMap(event => band(event, width)),
    ...layout.asides.map(aside => drawAside(aside, width)),
    ...switches(layout),
    ...layout.columns.flatMap((column, at) => lifeline(layout, column, at)),
    ...layout.columns.flatMap(column => birth(layout, column)),
    ...layout.arrows.map(arrowPath),
    ...layout.columns.map(head),
    ...layout.events.flatMap(event => chip(event, layout.numbersX)),
    ...layout.arrows.map(arrowLabel),
    ...drawLegend(entries, layout.height + legendHeight / 2 - 4),
    '</svg>',
  ]
  return `${parts.filter(part => part !== '').join('\n')}\n`
}

/** A line across the picture, with its note at the right end. */
function drawAside({ y, text }: PlacedAside, width: number): string {
  const end = width - margin - text.length * labelLetterWidth
  const line = `<path class="aside" d="M${margin} ${y}H${end - 8}"/>`
  return `${line}<text class="number" x="${end}" y="${y + 4}">${escapeXml(text)}</text>`
}

/** The background of a row that a finding marks. */
function band({ event, top, height }: PlacedEvent, width: number): string[] {
  if (event.mark === undefined) return []
  return [`<rect class="band${weight(event)}" x="0" y="${top}" width="${width}" height="${height}"/>`]
}

/** Faults and causes, which led to a finding, are drawn weaker than the finding. */
function weight({ mark }: TimelineEvent): string {
  return mark?.kind === 'fault' || mark?.kind === 'cause' ? ' minor' : ''
}

/** Lines from the column that ran last to the one that runs now. */
function switches({ events, columns }: Layout): string[] {
  return events.slice(1).flatMap(({ event, top }, index) => {
    const before = events[index]!.event
    if (before.column === event.column) return []
    return [`<path class="switch" d="M${columns[before.column]!.x} ${top}H${columns[event.column]!.x}"/>`]
  })
}

/** The style of a lifeline after an event. */
const lifeAfter: Readonly<Partial<Record<TimelineEventKind, string>>> = { blocked: 'life waits', stop: 'life stops' }

function lifeline(layout: Layout, { x, headTop }: PlacedColumn, at: number): string[] {
  const own = layout.events.filter(({ event }) => event.column === at)
  const parts: string[] = []
  let y = headTop + headHeight
  let kind = 'life'
  for (const { event, top, height } of own) {
    parts.push(`<path class="${kind}" d="M${x} ${y}V${top}"/>`)
    y = top + height
    kind = lifeAfter[event.kind] ?? 'life'
    if (event.kind === 'next') {
      y = top
      continue
    }
    const classes = event.mark === undefined ? 'bar' : `bar marked${weight(event)}`
    parts.push(`<rect class="${classes}" x="${x - barWidth / 2}" y="${top}" width="${barWidth}" height="${height}"/>`)
  }
  const isOver = own.at(-1)?.event.kind === 'exit'
  if (isOver) parts.push(`<path class="over" d="M${x - 6} ${y + 1}H${x + 6}"/>`)
  else parts.push(`<path class="${kind}" d="M${x} ${y}V${layout.height}"/>`)
  return parts
}

/** The path from a fork to the head of the child's column. */
function birth({ events }: Layout, { column, x }: PlacedColumn): string[] {
  if (column.bornAt === undefined) return []
  const fork = events[column.bornAt]!
  return [
    path('fork', [
      [fork.x + fork.width, fork.y],
      [x - 9, fork.y],
    ]),
  ]
}

function head({ x, title, headTop, headWidth }: PlacedColumn): string {
  return [
    `<rect class="head" x="${x - 8}" y="${headTop}" width="${headWidth}" height="${headHeight}" rx="4"/>`,
    `<text class="title" x="${x - 8 + chipPadding}" y="${headTop + headHeight / 2 + 4}">${escapeXml(title)}</text>`,
  ].join('')
}

function chip({ event, index, x, top, width, height, lines, markLines, y }: PlacedEvent, numbersX: number): string[] {
  const marked = event.mark === undefined ? '' : ` marked${weight(event)}`
  const box = `<rect class="chip ${event.kind}${marked}" x="${x}" y="${top + 1}" width="${width}" height="${height - 2}" rx="3"/>`
  const said = [...lines, ...markLines].map((line, row) => {
    const kind = row < lines.length ? event.kind : `finding${weight(event)}`
    return `<text class="${kind}" x="${x + chipPadding}" y="${y + 4 + row * lineHeight}">${escapeXml(line)}</text>`
  })
  return [`<text class="number" x="${numbersX}" y="${y + 4}" text-anchor="end">${index + 1}</text>`, box, ...said]
}

function arrowPath({ arrow, points }: PlacedArrow): string {
  return path(arrow.kind, points)
}

/** A line with round corners and an arrowhead at its end. */
function path(kind: string, points: readonly (readonly [number, number])[]): string {
  const [first, ...others] = points
  let d = `M${first![0]} ${first![1]}`
  for (const [index, [x, y]] of others.entries()) {
    const [beforeX, beforeY] = points[index]!
    const next = points[index + 2]
    if (next === undefined) {
      d += `L${x} ${y}`
      continue
    }
    const radius = Math.min(
      cornerRadius,
      Math.hypot(x - beforeX, y - beforeY) / 2,
      Math.hypot(next[0] - x, next[1] - y) / 2,
    )
    const towards = (otherX: number, otherY: number) =>
      `${x + Math.sign(otherX - x) * radius} ${y + Math.sign(otherY - y) * radius}`
    d += `L${towards(beforeX, beforeY)}Q${x} ${y} ${towards(next[0], next[1])}`
  }
  const [endX, endY] = points.at(-1)!
  const back = endX > points.at(-2)![0] ? -7 : 7
  return `<path class="arrow ${kind}" d="${d}"/><path class="tip ${kind}" d="M${endX} ${endY}l${back} -3.5v7z"/>`
}

/** The label of an arrow, in the middle of its longer horizontal part, if there is room. */
function arrowLabel({ arrow, points }: PlacedArrow): string {
  if (arrow.label === '') return ''
  const [start, corner, otherCorner, end] = points.map(([x]) => x) as [number, number, number, number]
  const leaves = Math.abs(corner - start) > Math.abs(end - otherCorner)
  const [from, to] = leaves ? [start, corner] : [otherCorner, end]
  if (Math.abs(to - from) < arrow.label.length * labelLetterWidth + 16) return ''
  const y = points[leaves ? 0 : 3]![1] - 4
  return `<text class="label ${arrow.kind}" x="${(from + to) / 2}" y="${y}" text-anchor="middle">${escapeXml(arrow.label)}</text>`
}

interface LegendEntry {
  readonly kind: string
  readonly text: string
}

const arrowMeanings: Readonly<Record<TimelineArrow['kind'], string>> = {
  bytes: 'bytes',
  'end-of-file': 'end of file',
  signal: 'signal',
  resume: 'lets it go on',
  child: 'stop or end, reported',
  waits: 'waits for',
}

/** The legend's entries for what this picture contains. */
function legend({ arrows, events }: TimelineParts): LegendEntry[] {
  const kinds = new Set(arrows.map(({ kind }) => kind))
  const entries: LegendEntry[] = (Object.keys(arrowMeanings) as TimelineArrow['kind'][])
    .filter(kind => kinds.has(kind))
    .map(kind => ({ kind: `arrow ${kind}`, text: arrowMeanings[kind] }))
  if (events.some(({ kind }) => kind === 'blocked')) entries.push({ kind: 'life waits', text: 'blocked' })
  if (events.some(({ kind }) => kind === 'stop')) entries.push({ kind: 'life stops', text: 'stopped' })
  return entries
}

function drawLegend(entries: readonly LegendEntry[], y: number): string[] {
  let x = 18
  return entries.map(({ kind, text }) => {
    const drawn = `<path class="${kind}" d="M${x} ${y}h22"/><text class="legend" x="${x + 28}" y="${y + 4}">${escapeXml(text)}</text>`
    x += textWidth(text) + 54
    return drawn
  })
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Escapes text for XML. */
function escapeXml(text: string): string {
  return printable(text).replaceAll(/[&<>"]/g, character => entities[character]!)
}
