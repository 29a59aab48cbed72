/** Joins events that belong together: a blocked call and its end with no event between them, the steps of an exit. */

import type { Awaited } from '../kernel/awaited.ts'
import type { ObservedCall } from './describe-call.ts'
import type {
  EventMark,
  TimelineArrow,
  TimelineColumn,
  TimelineEvent,
  TimelineEventKind,
  TimelineParts,
} from './parts.ts'

/** The first and last events kept of a very long run. */
const firstKept = 200
const lastKept = 600

/** An event as recorded, before tidying. */
export interface Draft {
  readonly column: number
  kind: TimelineEventKind
  text: string
  readonly atMs: number
  mark: EventMark | undefined
  /** Ids of the kernel objects it uses. */
  readonly objects: readonly number[]
  /** Index of the blocked call that this event ends. */
  readonly follows: number | undefined
  /** Its call, and the result if it has returned; for an await, what is awaited. */
  call?: ObservedCall
  result?: unknown
  readonly awaited?: Awaited
  /** Name of the errno of a failed await. */
  readonly code?: unknown
  /** A call of exit(2) or exit_group(2). */
  readonly isExit?: boolean
  /** The final step of an exit. */
  readonly isEnd?: boolean
}

/** The events that get a line of their own, and the arrows between them. */
export function tidy(
  columns: readonly TimelineColumn[],
  drafts: readonly Draft[],
  arrows: readonly TimelineArrow[],
): TimelineParts {
  const events: TimelineEvent[] = []
  /** For each draft, the index of its event. */
  const place: number[] = []
  for (const [index, draft] of drafts.entries()) {
    const last = events.length - 1
    const before = drafts[index - 1]
    const joins = before !== undefined && before.column === draft.column && joinsBefore(draft, before, index)
    const { column, kind, text, atMs, mark } = draft
    if (!joins) {
      place.push(events.length)
      events.push({ column, kind, text: resumedText(draft, text), atMs, mark, skipped: 0 })
      continue
    }
    place.push(last)
    const joined = events[last]!
    events[last] = {
      ...joined,
      kind: kind === 'resumed' ? 'call' : kind,
      text: draft.isEnd ? joined.text : text,
      mark: mark ?? joined.mark,
    }
  }
  const placed = moved({ columns, events, arrows }, index => place[index])
  const between = placed.arrows.filter(({ from, to }) => events[from]!.column !== events[to]!.column)
  return shorten({ ...placed, arrows: between })
}

/** Renumbers events by `to`; drops arrows with an end that is gone. */
function moved({ columns, events, arrows }: TimelineParts, to: (index: number) => number | undefined): TimelineParts {
  return {
    columns: columns.map(column => ({
      ...column,
      bornAt: column.bornAt === undefined ? undefined : to(column.bornAt),
    })),
    events,
    arrows: arrows.flatMap(arrow => {
      const [from, end] = [to(arrow.from), to(arrow.to)]
      return from === undefined || end === undefined ? [] : [{ ...arrow, from, to: end }]
    }),
  }
}

/** Leaves out the middle of a very long run, except marked events and births. */
function shorten(parts: TimelineParts): TimelineParts {
  const { events, columns } = parts
  if (events.length <= firstKept + lastKept) return parts
  const births = new Set(columns.map(({ bornAt }) => bornAt))
  const place = new Map<number, number>()
  const kept: TimelineEvent[] = []
  let skipped = 0
  for (const [index, event] of events.entries()) {
    const isKept = index < firstKept || index >= events.length - lastKept
    if (!isKept && event.mark === undefined && !births.has(index)) {
      skipped++
      continue
    }
    place.set(index, kept.length)
    kept.push({ ...event, skipped })
    skipped = 0
  }
  return moved({ ...parts, events: kept }, index => place.get(index))
}

function joinsBefore(draft: Draft, before: Draft, index: number): boolean {
  // An exec is traced in the middle of its call.
  if (draft.kind === 'exec') return true
  if (draft.follows === index - 1) return draft.atMs === before.atMs
  if (draft.kind !== 'exit') return false
  return before.isExit === true || (draft.isEnd === true && before.kind === 'exit')
}

function resumedText({ follows, kind }: Draft, text: string): string {
  return follows !== undefined && (kind === 'resumed' || kind === 'failed') ? `… ${text}` : text
}
