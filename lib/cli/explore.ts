/**
 * `tracegate explore`: explores the race of traceme and waitpid in two launchers. The one without a Channel has it; the
 * one with a Channel does not.
 */

import { writeFileSync } from 'node:fs'
import {
  type ExploreFailure,
  type ExploreReport,
  explore as exploreSchedules,
  replay as replaySchedule,
  type Scenario,
} from '../sim/index.ts'
import { withChannel, withoutChannel } from './explored-launchers.ts'
import { print, report } from './output.ts'
import { printable } from './printable.ts'
import { readOptions, UsageError } from './usage.ts'

/** The exploration of one launcher. */
interface Explored {
  readonly launcher: string
  readonly report: ExploreReport
  readonly ms: number
}

/**
 * Runs the command. Its exit status is 1 if the launcher does not fail, under the replayed schedule if there is one,
 * and 125 if the picture cannot be written.
 */
export async function explore(words: readonly string[]): Promise<number> {
  const { flags, values } = readOptions(words, { flags: ['json'], options: ['svg', 'replay'] })
  const schedule = values.get('replay')
  if (schedule !== undefined) return replayOne(schedule, flags.has('json'), values.get('svg'))
  const without = await exploreAll('without a Channel', withoutChannel)
  const withOne = await exploreAll('with a Channel', withChannel)
  const picture = draw(values.get('svg'), without.report)
  if (flags.has('json')) {
    print(`${JSON.stringify({ without: summary(without), with: summary(withOne), svg: picture?.path })}\n`)
  } else {
    print(`${describe(without)}\n${describe(withOne)}${whereIs(picture)}`)
  }
  return picture?.status ?? 0
}

/** Reruns the launcher without a Channel under a schedule that the command has printed. */
async function replayOne(schedule: string, asJson: boolean, svg: string | undefined): Promise<number> {
  const start = performance.now()
  const replayed = await replaySchedule(withoutChannel, schedule).catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== 'ERR_INVALID_ARG_VALUE') throw error
    throw new UsageError(`option '--replay' ${(error as Error).message.replace(/^The argument 'schedule' /, '')}`)
  })
  const launcher = 'without a Channel'
  const explored = { launcher, report: replayed, ms: performance.now() - start }
  const picture = draw(svg, replayed)
  if (asJson) print(`${JSON.stringify({ without: summary(explored), svg: picture?.path })}\n`)
  else print(`${describeReplay(explored, schedule)}${whereIs(picture)}`)
  const fails = replayed.failure !== undefined && replayed.failure.kind !== 'nondeterminism'
  return fails ? (picture?.status ?? 0) : 1
}

function describeReplay({ launcher, report: { failure } }: Explored, schedule: string): string {
  const head = `A launcher ${launcher}, under the schedule ${printable(schedule)}: `
  if (failure === undefined) return `${head}nothing found.\n`
  return `${head}${failure.kind}.\n\n${described(failure)}`
}

async function exploreAll(launcher: string, scenario: Scenario): Promise<Explored> {
  const start = performance.now()
  const explored = await exploreSchedules(scenario, { strategy: 'exhaustive' })
  return { launcher, report: explored, ms: performance.now() - start }
}

/** The picture that was asked for: its path if it was written, and the exit status. */
interface Picture {
  readonly path: string | undefined
  readonly status: 0 | 1 | 125
}

/** Writes the picture; says why, if it cannot. The findings are printed all the same. */
function draw(path: string | undefined, { failure }: ExploreReport): Picture | undefined {
  if (path === undefined) return undefined
  if (failure === undefined) {
    report(`tracegate: nothing was found, so ${printable(path)} is not written\n`)
    return { path: undefined, status: 1 }
  }
  try {
    writeFileSync(path, failure.timeline.toSvg())
    return { path, status: 0 }
  } catch (error) {
    report(`tracegate: cannot write ${printable(path)}: ${printable((error as Error).message)}\n`)
    return { path: undefined, status: 125 }
  }
}

function whereIs(picture: Picture | undefined): string {
  return picture?.path === undefined ? '' : `\nThe picture is in ${printable(picture.path)}.\n`
}

function describe({ launcher, report: { schedules, complete, failure }, ms }: Explored): string {
  const count = `${schedules.toLocaleString('en')} schedule${schedules === 1 ? '' : 's'}`
  const head = `A launcher ${launcher}: `
  if (failure === undefined) {
    const all = complete ? 'complete: they stand for every order of steps' : 'incomplete'
    return `${head}nothing found in ${count}, ${all} (${Math.round(ms)} ms).\n`
  }
  return `${head}fails after ${count} (${failure.kind}).

${described(failure)}
  Nothing says that the child is traced by the time its parent asks. To replay: '${failure.schedule}'
  (tracegate explore --replay '${failure.schedule}')
`
}

/** The error and the timeline, indented. */
function described({ error, timeline }: ExploreFailure): string {
  const [message = ''] = error.message.split('\n')
  return `  ${message}\n\n${indented(timeline.toString())}`
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ')
}

/** The --json output for one launcher. */
function summary({ report: { schedules, complete, failure }, ms }: Explored) {
  return {
    schedules,
    complete,
    ms: Math.round(ms),
    ...(failure && {
      failure: {
        kind: failure.kind,
        message: failure.error.message,
        schedule: failure.schedule,
        timeline: {
          columns: failure.timeline.columns,
          events: failure.timeline.events,
          arrows: failure.timeline.arrows,
        },
      },
    }),
  }
}
