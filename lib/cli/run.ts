/** `tracegate run`: launch a program traced, show the handshake, run it to its end. */

import { launch } from '../launch/launch.ts'
import { openSystem } from '../open-system.ts'
import { exitCodeOf } from './exit-code.ts'
import { formatSteps, formatTimeline, handshakeSteps } from './handshake-report.ts'
import { report } from './output.ts'
import { record } from './recorder.ts'
import { standBehind } from './terminal-signals.ts'
import { readCommandLine } from './usage.ts'

/** Runs the command; the exit status. */
export async function run(words: readonly string[]): Promise<number> {
  const { flags, program, args } = readCommandLine(words, ['timeline', 'json', 'simulate'], [])
  const { system, calls } = record(openSystem(flags.has('simulate') ? 'simulated' : 'auto'))
  // Whoever stops reading what a simulated program writes must not end the command with it.
  if (system.kind === 'simulated') for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const asItGoes = !flags.has('timeline') && !flags.has('json')
  if (asItGoes) report(`tracegate: ${program} in the ${system.kind} system\n`)

  const tracee = await launch(program, args, { system, stdio: 'inherit' })
  const stepsToExec = handshakeSteps(calls)
  if (asItGoes) report(formatSteps(stepsToExec))

  const stopStanding = standBehind(() => tracee)
  const exit = await tracee.run()
  stopStanding()

  const steps = handshakeSteps(calls)
  if (asItGoes) report(formatSteps(steps.slice(stepsToExec.length)))
  if (flags.has('timeline')) report(formatTimeline(calls))
  if (flags.has('json')) {
    const summary = { program, args, system: system.kind, pid: tracee.pid, steps, exit }
    report(`${JSON.stringify(summary)}\n`)
  }
  return exitCodeOf(exit)
}
