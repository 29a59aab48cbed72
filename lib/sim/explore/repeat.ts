/** Checks that a scenario behaves the same when its schedule is repeated. */

import { NondeterminismError } from './checks.ts'
import { EventLog } from './event-log.ts'
import { Oracle } from './oracle.ts'
import type { Finding, Runner, Watcher } from './runner.ts'
import type { Schedule } from './schedule.ts'
import { Fixed } from './strategies/fixed.ts'

/** A run to repeat: its schedule, its finding, and the log of its events if it was recorded. */
interface Repeatable {
  readonly schedule: Schedule
  readonly finding: Finding | null
  readonly log: EventLog | null
}

/** Repeats a run; describes the first difference, or null. */
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

/** How a run ended differently from an earlier one, or null. Messages may hold a time or address: not compared. */
export function differentEnd(before: Finding | null, now: Finding | null): string | null {
  if (before?.kind === now?.kind && before?.error.name === now?.error.name) return null
  return `it ended with ${describe(before)} first, and with ${describe(now)} when it was repeated`
}

function describe(finding: Finding | null): string {
  if (finding === null) return 'no failure'
  const { kind, error } = finding
  return `${kind} (${error.name}: ${error.message.split('\n', 1)[0]})`
}

/** The finding for a replayed schedule that the run departed from; the run may have found something else. */
export function doesNotFit(difference: string, found: Finding | null): Finding {
  const message =
    `the schedule is not one of this scenario: ${difference} (it is of another scenario or cut off, ` +
    'or the scenario or its programs have changed, or depend on something outside their world)'
  return {
    kind: 'nondeterminism',
    error: new NondeterminismError(message, found === null ? {} : { cause: found.error }),
  }
}

/** The finding for a run that differs from an earlier one under the same schedule. */
export function differs(difference: string): Finding {
  return {
    kind: 'nondeterminism',
    error: new NondeterminismError(`the scenario ran differently under the same schedule: ${difference}`),
  }
}
