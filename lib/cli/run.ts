/** `tracegate run`: launches a program traced, shows the handshake, runs the program to its end. */

import type { Tracee } from '../launch/handles/tracee.ts'
import { launch } from '../launch/launch.ts'
import { openSystem } from '../open-system.ts'
import type { System } from '../system/system.ts'
import { exitCodeOf, exitCodeOfFailure } from './exit-code.ts'
import { failureOf } from './failure.ts'
import { forwardSignals } from './forwarded-signals.ts'
import { formatSteps, formatTimeline, handshakeSteps } from './handshake-report.ts'
import { asStarted } from './inherited.ts'
import { type LaunchSettings, launchSettings, settingsSyntax } from './launch-settings.ts'
import { openReportOutput, type ReportOutput } from './output.ts'
import { printable } from './printable.ts'
import { type Recorder, record } from './recorder.ts'
import { type CommandLine, readCommandLine } from './usage.ts'

/** Runs the command; returns the exit status. */
export async function run(words: readonly string[]): Promise<number> {
  const { flags, options, lists } = settingsSyntax
  const line = readCommandLine(words, {
    flags: ['timeline', 'json', 'simulate', ...flags],
    options: ['output', ...options],
    lists,
  })
  const settings = launchSettings(line)
  const output = openReportOutput(line.values.get('output'))
  try {
    return await runTo(output, line, settings)
  } finally {
    output.close()
  }
}

async function runTo(output: ReportOutput, line: CommandLine, settings: LaunchSettings): Promise<number> {
  const { flags, program, args } = line
  if (!flags.has('json')) return await launchAndRun(output, line, settings, record(openForRun(flags)))
  let recorder: Recorder | undefined
  try {
    recorder = record(openForRun(flags))
    return await launchAndRun(output, line, settings, recorder)
  } catch (error) {
    const steps = handshakeSteps(recorder?.calls ?? [])
    output.write(
      `${JSON.stringify({ program, args, system: recorder?.system.kind, steps, error: failureOf(error) })}\n`,
    )
    if (line.values.has('output')) throw error
    return exitCodeOfFailure(error)
  }
}

function openForRun(flags: ReadonlySet<string>): System {
  return openSystem(flags.has('simulate') ? 'simulated' : 'auto')
}

async function launchAndRun(
  output: ReportOutput,
  line: CommandLine,
  settings: LaunchSettings,
  { system, calls }: Recorder,
): Promise<number> {
  const { flags, program, args } = line
  const isReal = system.kind === 'native'
  const asItGoes = !flags.has('timeline') && !flags.has('json')
  if (asItGoes) output.write(`tracegate: ${printable(program)} in the ${system.kind} system\n`)

  let launching: Promise<Tracee> | undefined
  using forwarding = forwardSignals({ target: () => launching, isReal })
  launching = launch(program, args, { system, ...asStarted({ without: output.fd, isReal }), ...settings })
  const tracee = await launching
  const stepsToExec = handshakeSteps(calls)
  if (asItGoes) output.write(formatSteps(stepsToExec))

  const exit = await tracee.run()
  // A report without a reader would block the command: from here on, signals end it.
  forwarding[Symbol.dispose]()
  const steps = handshakeSteps(calls)
  if (asItGoes) output.write(formatSteps(steps.slice(stepsToExec.length)))
  if (flags.has('timeline') && !flags.has('json')) output.write(formatTimeline(calls))
  if (flags.has('json')) {
    output.write(`${JSON.stringify({ program, args, system: system.kind, pid: tracee.pid, steps, exit })}\n`)
  }
  return exitCodeOf(exit)
}
