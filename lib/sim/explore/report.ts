/** Prepares a failure's report: shrinks the schedule, records a timeline, and adds the replay hint to the error. */

import type { Kernel } from '../kernel/kernel.ts'
import { marksOf } from '../timeline/finding-marks.ts'
import { TimelineRecorder } from '../timeline/index.ts'
import { checksOf } from './checks.ts'
import { Oracle } from './oracle.ts'
import { differentEnd, differs } from './repeat.ts'
import type { Finding, Runner } from './runner.ts'
import { formatSchedule, type Schedule } from './schedule.ts'
import { shrink } from './shrink.ts'
import { Fixed } from './strategies/fixed.ts'
import type { ExploreFailure } from './types.ts'

/** Shrinks a failing schedule and runs it again for the timeline. A failure that does not recur is nondeterminism. */
export async function reportFailure(
  runner: Runner,
  finding: Finding,
  found: Schedule,
  signal: AbortSignal | undefined,
  mayShrink = true,
): Promise<ExploreFailure> {
  const shrinks = mayShrink && finding.kind !== 'nondeterminism'
  const schedule = shrinks ? await shrink(runner, finding.kind, found, signal) : found
  let recorder!: TimelineRecorder
  let world!: Kernel
  const fixed = new Fixed(schedule)
  fixed.next()
  const again = await runner.run(
    new Oracle(fixed),
    (kernel: Kernel) => {
      const checks = checksOf(kernel)
      world = kernel
      recorder = new TimelineRecorder(kernel)
      return checks
    },
    false,
  )
  const { kind } = finding
  if (kind !== 'nondeterminism' && again?.kind !== kind)
    return reportFailure(runner, differs(differentEnd(finding, again)!), found, signal, false)
  // The error of the recorded run: its process and object numbers are those of the timeline.
  const error = kind === 'nondeterminism' ? finding.error : again!.error
  const timeline = recorder.finish(marksOf(world, kind, error))
  const text = formatSchedule(schedule)
  addReplayHint(error, text)
  return { kind, error, schedule: text, timeline }
}

function addReplayHint(error: Error, schedule: string): void {
  const how = `replay it with replay(scenario, '${schedule}')`
  const message = `${error.message}\n${how}`
  try {
    const { stack } = error
    const before = error.message
    error.message = message
    if (error.message === message && stack !== undefined) error.stack = stack.replace(before, () => message)
  } catch {
    // A frozen error keeps its message.
  }
}
