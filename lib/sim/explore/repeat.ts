/** Whether a scenario does the same again under the same schedule. */

import { NondeterminismError } from './checks.ts'
import { EventLog } from './event-log.ts'
import { Oracle } from './oracle.ts'
import type { Finding, Runner, Watcher } from './runner.ts'
import type { Schedule } from './schedule.ts'
import { Fixed } from './strategies/fixed.ts'

/** A run to be repeated: its schedule, what was found, and all that happened where that was written down. */
interface Repeatable {
  readonly schedule: Schedule
  readonly finding: Finding | null
  readonly log: EventLog | null
}

/** Repeats a run: the first difference, or null. */
export async function firstDifference(runner: Runner, watch: Watcher, before: Repeatable): Promise<string | null> {
  const fixed = new Fixed(before.schedule)
  fixed.next()
  const log = new EventLog()
  const finding = await runner.run(
    new Oracle(fixed),
    kernel => {
      log.record(kernel)
      return watch(kernel)
    },
    false,
  )
  fixed.end()
  return before.log?.difference(log) ?? fixed.difference ?? differentEnd(before.finding, finding)
}

/** How the end of a run differs from the one before; null when it does not. What errors say may hold a time or an address. */
export function differentEnd(before: Finding | null, now: Finding | null): string | null {
  if (before?.kind === now?.kind && before?.error.name === now?.error.name) return null
  return `it ended with ${describe(before)}, and this time with ${describe(now)}`
}

function describe(finding: Finding | null): string {
  if (finding === null) return 'nothing wrong'
  const { kind, error } = finding
  return `${kind} (${error.name}: ${error.message.split('\n', 1)[0]})`
}

/** The finding that a run differs from the one before it. */
export function differs(difference: string): Finding {
  return {
    kind: 'nondeterminism',
    error: new NondeterminismError(`the scenario ran differently under the same schedule: ${difference}`),
  }
}
