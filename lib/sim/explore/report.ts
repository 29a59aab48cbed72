/** Prepares a failure's report: shrinks the schedule, records a timeline, and adds the replay hint to the error. */

import type { Kernel } from '../kernel/kernel.ts'
import { marksOf } from '../timeline/finding-marks.ts'
import { newRecorder, type TimelineRecorder } from '../timeline/timeline-recorder.ts'
import { checksOf } from './checks.ts'
import { Oracle } from './oracle.ts'
import { differentEnd, differs } from './repeat.ts'
import type { Finding, Runner } from './runner.ts'
import { formatSchedule, type Schedule } from './schedule.ts'
import { shrink } from './shrink.ts'
import { Fixed } from './strategies/fixed.ts'
import type { ExploreFailure } from './types.ts'

/** Shrinks a failing schedule and reports it. */
export async function reportFailure(
  runner: Runner,
  finding: Finding,
  found: Schedule,
  signal: AbortSignal | undefined,
): Promise<ExploreFailure> {
  const shrinks = finding.kind !== 'nondeterminism'
  return reportRun(runner, finding, shrinks ? await shrink(runner, finding.kind, found, signal) : found)
}

/**
 * Runs a failing schedule again for the timeline. A failure that does not recur is nondeterminism.
 *
 * `hints`: the error says how to replay the schedule.
 */
export async function reportRun(
  runner: Runner,
  finding: Finding,
  schedule: Schedule,
  hints = true,
): Promise<ExploreFailure> {
  let recorder!: TimelineRecorder
  let world!: Kernel
  const fixed = new Fixed(schedule)
  fixed.next()
  const again = await runner.run(
    new Oracle(fixed),
    (kernel: Kernel) => {
      const checks = checksOf(kernel)
      world = kernel
      recorder = newRecorder(kernel)
      return checks
    },
    false,
  )
  const { kind } = finding
  if (kind !== 'nondeterminism' && again?.kind !== kind)
    return reportRun(runner, differs(differentEnd(finding, again)!), schedule)
  // The error of the recorded run: its process and object numbers are those of the timeline.
  const { error, crashed } = kind === 'nondeterminism' ? finding : again!
  const timeline = recorder.finish(marksOf(world, kind, error, crashed))
  const text = formatSchedule(schedule)
  if (hints) addReplayHint(error, text)
  return { kind, error, schedule: text, timeline }
}

/** Appends to the message how to replay the schedule. An error that is thrown in many runs has it once. */
function addReplayHint(error: Error, schedule: string): void {
  const before = error.message
  const message = `${before.replace(hint, '')}\nreplay it with replay(scenario, '${schedule}')`
  try {
    // Some runtimes format the stack, with the message in it, when it is first read.
    const { stack } = error
    // A property of its own: the message of a DOMException, and of some classes, has a getter only.
    Object.defineProperty(error, 'message', { value: message, configurable: true, writable: true })
    if (typeof stack === 'string' && before !== '') error.stack = stack.replace(before, () => message)
  } catch {
    // A frozen error keeps its message.
  }
}

const hint = /\nreplay it with replay\(scenario, '[^']*'\)$/
