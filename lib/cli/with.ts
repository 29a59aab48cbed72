/** `tracegate with`: holds a program while a tool works on it. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from '../launch/child.ts'
import { launch } from '../launch/launch.ts'
import { openSystem } from '../open-system.ts'
import { type SignalName, signalNumber } from '../system/signals.ts'
import { exitCodeOf } from './exit-code.ts'
import { forwardSignals } from './forwarded-signals.ts'
import { hasAttached } from './held.ts'
import { endsHeld } from './hold.ts'
import { asStarted } from './inherited.ts'
import { quoted } from './printable.ts'
import { readCommandLine, UsageError } from './usage.ts'

/** Runs the command; returns the tool's exit status. */
export async function withTool(words: readonly string[]): Promise<number> {
  const { flags, operands, program, args } = readCommandLine(words, {
    flags: ['continue'],
    operands: ["the tool's line"],
  })
  const line = operands[0]!
  if (!line.includes('{pid}')) throw new UsageError(`the tool's line has no {pid}: ${quoted(line)}`)

  // Tools cannot attach to a simulated process.
  const system = openSystem('native')
  let launching: Promise<Child> | undefined
  let launchingTool: Promise<Child> | undefined
  let endedBy: SignalName | undefined
  using _ = forwardSignals({
    target: () => launchingTool ?? launching,
    isReal: true,
    takes({ signal }) {
      if (launchingTool !== undefined || !endsHeld(signal)) return false
      endedBy ??= signal
      return true
    },
  })
  const launchingProgram = launch(program, args, { system, ...asStarted() })
  launching = launchingProgram
  await using tracee = await launchingProgram
  await tracee.handOff()
  if (endedBy !== undefined) return 128 + signalNumber(endedBy)!
  launchingTool = launch('/bin/sh', ['-c', line.replaceAll('{pid}', String(tracee.pid))], {
    system,
    ...asStarted(),
    trace: false,
  })
  await using tool = await launchingTool
  const over = new AbortController()
  const continued = flags.has('continue') ? continueOnceAttached(tracee, tool.pid, over.signal) : undefined
  const exit = await tool.exited
  over.abort()
  await continued
  return exitCodeOf(exit)
}

/** Polls a hundred times a second: the kernel does not notify a parent when a tool attaches to its child. */
async function continueOnceAttached(
  held: { readonly pid: number; kill(signal: 'SIGCONT'): boolean },
  tool: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    if (hasAttached(held.pid, tool)) {
      held.kill('SIGCONT')
      return
    }
    await sleep(10)
  }
}
