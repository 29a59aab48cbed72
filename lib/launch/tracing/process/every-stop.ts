/** everyStop(): the stops of a process and of those followed from it, with the extra events asked for. */

import { invalidValue } from '../../../system/argument-errors.ts'
import type { ShownStop } from '../stops/stop-feed.ts'
import { optionOfEvent, type ShownEvent } from '../tasks/shown-events.ts'
import { openFeed } from './run.ts'
import type { TracedProcess } from './traced-process.ts'

/** Yields each stop once, as `give` makes it, and only while its thread is at it. */
export async function* everyStop<Given>(
  process: TracedProcess,
  asked: () => readonly ShownEvent[],
  give: (shown: ShownStop) => Given,
): AsyncGenerator<Given, void, undefined> {
  const events = asked()
  askFor(process, events)
  const feed = openFeed(process)
  try {
    for (let shown = await feed.next(); shown !== undefined; shown = await feed.next()) {
      // Other code may have resumed the thread since the feed gave the stop.
      if (shown.task.stop === shown.stop) yield give(shown)
    }
  } finally {
    process.feeds.delete(feed)
    ceaseToAskFor(process, events)
  }
}

/** Has these events shown, of a process and of those followed from it. */
function askFor(process: TracedProcess, events: readonly ShownEvent[]): void {
  const { shownEvents, settings } = process
  shownEvents.add(events)
  for (const event of events) settings.options |= optionOfEvent[event]
  for (const child of process.children) askFor(child, events)
  if (settings.isPending && process.tracing !== null && !process.hasEnded) settings.applyAll()
}

function ceaseToAskFor(process: TracedProcess, events: readonly ShownEvent[]): void {
  const { shownEvents, settings, children } = process
  shownEvents.remove(events)
  if (process.tracing !== null && !process.hasEnded) settings.withdraw(events, shownEvents)
  for (const child of children) ceaseToAskFor(child, events)
}

/** The check of an event that is asked for. */
export function checkShownEvent(event: unknown, name: () => string): ShownEvent {
  if (typeof event === 'string' && Object.hasOwn(optionOfEvent, event)) return event as ShownEvent
  throw invalidValue(name(), "must be one of 'exit', 'seccomp', 'vfork-done'", event)
}
