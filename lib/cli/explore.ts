/** `tracegate explore`: the race of traceme and waitpid, found in every schedule of a launcher without a Channel that has it, and gone with one. */

import { writeFileSync } from 'node:fs'
import { type ExploreReport, explore as exploreSchedules, type Scenario } from '../sim/index.ts'
import { withChannel, withoutChannel } from './explored-launchers.ts'
import { print, report } from './output.ts'
import { printable } from './printable.ts'
import { readOptions } from './usage.ts'

/** What came of one launcher. */
interface Explored {
  readonly launcher: string
  readonly report: ExploreReport
  readonly ms: number
}

/** Runs the command; the exit status: 1 where a file cannot be written. */
export async function explore(words: readonly string[]): Promise<number> {
  const { flags, values } = readOptions(words, { flags: ['json'], options: ['svg'] })
  const without = await exploreAll('without a Channel', withoutChannel)
  const withOne = await exploreAll('with a Channel', withChannel)
  const svg = values.get('svg')
  if (svg !== undefined && !writePicture(svg, without.report)) return 1
  if (flags.has('json')) print(`${JSON.stringify({ without: summary(without), with: summary(withOne), svg })}\n`)
  else
    print(
      `${describe(without)}\n${describe(withOne)}${svg === undefined ? '' : `\nThe picture is in ${printable(svg)}.\n`}`,
    )
  return 0
}

async function exploreAll(launcher: string, scenario: Scenario): Promise<Explored> {
  const start = performance.now()
  const explored = await exploreSchedules(scenario, { strategy: 'exhaustive' })
  return { launcher, report: explored, ms: performance.now() - start }
}

function writePicture(path: string, { failure }: ExploreReport): boolean {
  if (failure === undefined) {
    report(`tracegate: nothing was found, so ${printable(path)} is not written\n`)
    return false
  }
  try {
    writeFileSync(path, failure.timeline.toSvg())
    return true
  } catch (error) {
    report(`tracegate: cannot write ${printable(path)}: ${printable((error as Error).message)}\n`)
    return false
  }
}

function describe({ launcher, report: { schedules, complete, failure }, ms }: Explored): string {
  const count = `${schedules.toLocaleString('en')} schedule${schedules === 1 ? '' : 's'}`
  const head = `A launcher ${launcher}: `
  if (failure === undefined) {
    const all = complete ? 'complete: they stand for every order of steps' : 'incomplete'
    return `${head}nothing found in ${count}, ${all} (${Math.round(ms)} ms).\n`
  }
  const [message = ''] = failure.error.message.split('\n')
  return `${head}fails after ${count} (${failure.kind}).

  ${message}

${indented(failure.timeline.toString())}
  Nothing says that the child is traced by the time its parent asks. To replay: '${failure.schedule}'
`
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ')
}

/** What --json says of one launcher. */
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
