/** `tracegate with`: hold a program while a tool works on it. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from '../launch/child.ts'
import { launch } from '../launch/launch.ts'
import { openSystem } from '../open-system.ts'
import { exitCodeOf } from './exit-code.ts'
import { hasAttached } from './held.ts'
import { standBehind } from './terminal-signals.ts'
import { readCommandLine, UsageError } from './usage.ts'

/** Runs the command; the exit status, which is the tool's. */
export async function withTool(words: readonly string[]): Promise<number> {
  const { flags, operands, program, args } = readCommandLine(words, ['continue'], ["the tool's line"])
  const line = operands[0]!
  if (!line.includes('{pid}')) throw new UsageError(`the tool's line has no {pid}: '${line}'`)

  // A real process: no tool knows a simulated one.
  const system = openSystem('native')
  await using tracee = await launch(program, args, { system, stdio: 'inherit' })
  let current: Child = tracee
  // Before it is handed off: from then on it outlives a command that is ended.
  const stopStanding = standBehind(() => current)
  await tracee.handOff()
  await using tool = await launch('/bin/sh', ['-c', line.replaceAll('{pid}', String(tracee.pid))], {
    system,
    stdio: 'inherit',
    trace: false,
  })
  current = tool
  const over = new AbortController()
  const continued = flags.has('continue') ? continueOnceAttached(tracee, tool.pid, over.signal) : undefined
  const exit = await tool.exited
  over.abort()
  await continued
  stopStanding()
  return exitCodeOf(exit)
}

/** Nothing tells a parent that its child was attached to, so it is looked for, a hundred times a second. */
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
