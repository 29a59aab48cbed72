/** A timeline for a terminal. */

import { countOf } from '../base/count-of.ts'
import type { TimelineArrow, TimelineEvent, TimelineParts } from './parts.ts'
import { printable } from './printable.ts'
import { wrap } from './wrap.ts'

/** A column's lifeline in rows of other columns' events. */
const lifelines = { none: ' ', running: '│', blocked: '┊', stopped: '╎' } as const
type Life = keyof typeof lifelines

const gap = 2
const asideSign = '··· '

/** Renders one line per event, in the column of its process or thread. */
export function renderText(timeline: TimelineParts): string {
  const { columns, events } = timeline
  const arrivals = arrivalsOf(timeline)
  const texts = events.map((event, index) => [shownText(event), ...arrivals[index]!].join('  ◀ '))
  const titles = columns.map(({ pid, tid, name }) =>
    printable(tid === pid ? `${pid} ${name}` : `${tid} thread of ${pid}`),
  )
  const asides = asidesOf(events)
  const widths = titles.map((title, column) => Math.max(title.length, ...lengthsIn(column)) + 2 + gap)
  const numberWidth = String(events.length).length
  const lives: Life[] = columns.map(({ bornAt }) => (bornAt === undefined ? 'running' : 'none'))

  function lengthsIn(column: number): number[] {
    const ofEvents = events.flatMap((event, index) =>
      event.column === column
        ? [texts[index]!, ...markLines(event)].map(line => line.length)
        : event.mark === undefined && columns[column]!.bornAt === index
          ? ['▶ starts'.length]
          : [],
    )
    return column === 0 ? [...ofEvents, ...asides.flat().map(text => text.length + asideSign.length)] : ofEvents
  }

  /** A row: `cells` by column, lifelines elsewhere. */
  function row(gutter: string, cells: ReadonlyMap<number, string>): string {
    const parts = columns.map((_, column) => {
      const cell = cells.get(column) ?? lifelines[lives[column]!]
      return cell.padEnd(widths[column]!, cell.includes('─') ? '─' : ' ')
    })
    return `${gutter.padStart(numberWidth)}  ${parts.join('')}`.trimEnd()
  }

  const rows = [row('', new Map(titles.map((title, column) => [column, title])))]
  const lastOf = new Map(events.map(({ column }, index) => [column, index]))
  const aside = (text: string) => rows.push(row('', new Map([[0, `${lifelines[lives[0]!]} ${asideSign}${text}`]])))
  for (const [index, event] of events.entries()) {
    for (const text of asides[index]!) aside(text)
    const cells = new Map([
      [event.column, `${event.mark !== undefined ? '▐' : event.kind === 'next' ? '│' : '┃'} ${texts[index]}`],
    ])
    const born = columns.findIndex(({ bornAt }) => bornAt === index)
    if (born > event.column) {
      cells.set(event.column, `${cells.get(event.column)} ─`)
      for (let between = event.column + 1; between < born; between++) cells.set(between, '─')
    }
    if (born >= 0) {
      cells.set(born, '▶ starts')
      lives[born] = 'running'
    }
    rows.push(row(String(index + 1), cells))
    lives[event.column] = lifeAfter(event, lastOf.get(event.column) === index)
    for (const line of markLines(event)) rows.push(row('', new Map([[event.column, `▐ ${line}`]])))
  }
  return `${rows.join('\n')}\n`
}

/** An event's text; '…' marks a call whose end comes later. */
export function shownText({ kind, text }: TimelineEvent): string {
  return printable(kind === 'blocked' ? `${text} …` : text)
}

/** The lines below an event that a finding marks. */
export function markLines({ mark }: TimelineEvent): string[] {
  return mark === undefined ? [] : wrap(printable(`▲ ${mark.kind}: ${mark.text}`))
}

/** The note on events left out before an event. */
export function skippedText({ skipped }: TimelineEvent): string | undefined {
  return skipped === 0 ? undefined : `${countOf(skipped, 'event')} left out`
}

/** For each event, the notes before it: the number of events left out, and the time if it is a new one. */
export function asidesOf(events: readonly TimelineEvent[]): string[][] {
  let nowMs = 0
  return events.map(event => {
    const skipped = skippedText(event)
    const time = event.atMs === nowMs ? [] : [`at ${Math.round(event.atMs * 1000) / 1000} ms`]
    nowMs = event.atMs
    return skipped === undefined ? time : [skipped, ...time]
  })
}

function lifeAfter({ kind }: TimelineEvent, isLast: boolean): Life {
  if (kind === 'exit') return isLast ? 'none' : 'running'
  return kind === 'blocked' ? 'blocked' : kind === 'stop' ? 'stopped' : 'running'
}

/** For each event, what arrives at it and from which line. */
function arrivalsOf({ events, arrows }: TimelineParts): string[][] {
  const arrivals: string[][] = events.map(() => [])
  for (const arrow of arrows) if (arrow.kind !== 'waits') arrivals[arrow.to]!.push(arrivalText(arrow))
  return arrivals
}

function arrivalText({ from, kind, label }: TimelineArrow): string {
  const line = `from ${from + 1}`
  return kind === 'resume' && label === '' ? `by ${from + 1}` : label === '' ? line : `${label} ${line}`
}
