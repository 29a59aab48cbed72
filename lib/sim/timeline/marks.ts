/** The marks of a finding: which event each one is on. */

import type { ObservedCall } from './describe-call.ts'
import type { TimelineArrow, TimelineEventKind } from './parts.ts'
import type { Recording } from './recording.ts'
import type { Draft } from './tidy.ts'

/** An event, as a mark's condition sees it. */
export interface RecordedEvent {
  /** What happened: a call, its result, a stop … */
  readonly kind: TimelineEventKind
  /** Its call. */
  readonly call?: ObservedCall | undefined
  /** The call's result or negative errno. */
  readonly result?: unknown
  /** What the host awaits, or has awaited. */
  readonly awaited?: { readonly fd?: number | undefined } | undefined
  /** Name of the errno of a failed await. */
  readonly code?: unknown
}

/** A mark of a finding, and the event to put it on. */
export interface TimelineMark {
  /** 'race', 'deadlock', 'leak', 'error' … */
  readonly kind: string
  /** Its text. */
  readonly text: string
  /** The event's thread; a process's first thread has its pid. */
  readonly tid: number
  /** The event: {@link TimelineRecorder.position} right after it. Without this, the thread's last event. */
  readonly position?: number
  /** Selects the thread's last event with this kernel object (a file, a cell). */
  readonly object?: number
  /** With {@link object}: selects its nth event, 1-based, counting those of every thread. */
  readonly nth?: number
  /** Selects the thread's last event that satisfies this condition, if there is one. */
  readonly where?: (event: RecordedEvent) => boolean
  /** Text of an event to add at the end if no event matches: not every wait begins with an event. */
  readonly otherwise?: string
  /** Pids of the processes that the thread waits for; arrows show them. */
  readonly waitsFor?: readonly number[]
}

/** Puts marks on their events; the arrows of what the marked threads wait for. */
export function placeMarks(recording: Recording, marks: readonly TimelineMark[]): TimelineArrow[] {
  for (const mark of marks) place(recording, mark)
  return marks.flatMap(mark => waitsOf(recording, mark))
}

function place(recording: Recording, mark: TimelineMark): void {
  const found = recording.drafts[find(recording, mark)]
  if (found === undefined) return
  const { kind, text } = mark
  const before = found.mark?.kind === kind ? found.mark.text : text
  found.mark = { kind, text: before === text ? text : `${before}; ${text}` }
}

/** Index of a mark's event, which is added if there is none and the mark has a text for it; -1 for no event. */
function find(recording: Recording, { tid, position, object, nth, where, otherwise }: TimelineMark): number {
  const { drafts, columns } = recording
  if (position !== undefined) return position - 1
  if (object !== undefined && nth !== undefined) {
    const uses = [...drafts.keys()].filter(index => drafts[index]!.objects.includes(object))
    return uses[nth - 1] ?? -1
  }
  const ofThread = (draft: Draft) =>
    columns[draft.column]!.task.tid === tid &&
    draft.kind !== 'next' &&
    (object === undefined || draft.objects.includes(object))
  const found = where === undefined ? -1 : drafts.findLastIndex(draft => ofThread(draft) && where(draft))
  if (found >= 0) return found
  const column = columns.find(({ task }) => task.tid === tid)
  if (column === undefined) return -1
  if (otherwise === undefined) {
    const last = drafts.findLastIndex(ofThread)
    return last >= 0 || object !== undefined ? last : recording.add(column.task, 'call', 'no call')
  }
  // Two marks of one thread may have the same text.
  const said = drafts.findLastIndex(draft => ofThread(draft) && draft.text === otherwise)
  return said >= 0 ? said : recording.add(column.task, 'blocked', otherwise)
}

function waitsOf(recording: Recording, mark: TimelineMark): TimelineArrow[] {
  const { drafts, columns } = recording
  const from = find(recording, mark)
  if (from < 0) return []
  const ends = (mark.waitsFor ?? []).map(pid => drafts.findLastIndex(({ column }) => columns[column]!.pid === pid))
  return ends.filter(to => to >= 0).map(to => ({ from, to, kind: 'waits', label: 'waits for' }))
}
