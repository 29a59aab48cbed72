/** `tracegate with`: holds a program while a tool works on it. */

import type { Child } from '../../launch/child.ts'
import { openSystem } from '../../open-system.ts'
import { type SignalName, signalNumber } from '../../system/signals.ts'
import { exitCodeOf } from '../exit-code.ts'
import { forwardSignals } from '../forwarded-signals.ts'
import { endsHeld } from '../hold.ts'
import { asStarted } from '../inherited.ts'
import { traceStateOf, watchLeftStopped } from '../left-stopped.ts'
import { report } from '../output.ts'
import { quoted } from '../printable.ts'
import { readCommandLine, UsageError } from '../usage.ts'
import { type HeldForTool, holdAtExec, holdAtGate } from './held-for-tool.ts'
import { type Handling, handlingOf, holds, releases } from './known-tools.ts'
import { Tool } from './tool.ts'

/** The exit status where the program never ran, and the tool has not failed. */
const neverRan = 125

/** Runs the command; returns the tool's exit status. */
export async function withTool(words: readonly string[]): Promise<number> {
  const { flags, values, operands, program, args } = readCommandLine(words, {
    flags: ['kill'],
    options: ['hold', 'release'],
    operands: ["the tool's line"],
  })
  const line = operands[0]!
  if (!line.includes('{pid}')) throw new UsageError(`the tool's line has no {pid}: ${quoted(line)}`)
  const known = handlingOf(line)
  const hold = oneOf(holds, 'hold', values) ?? known.hold
  const asked = oneOf(releases, 'release', values)
  // At the gate the program waits for its starter: no debugger can let it go.
  const release = (asked ?? known.release) === 'tool' && hold === 'gate' ? 'attached' : (asked ?? known.release)

  // Tools cannot attach to a simulated process.
  const system = openSystem('native')
  let target: Promise<Child> | undefined
  let isToolStarted = false
  let endedBy: SignalName | undefined
  using _ = forwardSignals({
    target: () => target,
    isReal: true,
    takes({ signal }) {
      if (isToolStarted || !endsHeld(signal)) return false
      endedBy ??= signal
      return true
    },
  })
  const holdIt = hold === 'gate' ? holdAtGate : holdAtExec
  // Yama: this process's descendants may attach, and so the tool.
  const holding = holdIt(program, args, { system, ...asStarted(), tracer: process.pid })
  target = childOf(holding)
  const held = await holding
  try {
    if (endedBy !== undefined) {
      await held.kill()
      return 128 + signalNumber(endedBy)!
    }
    const starting = Tool.start(system, line, held.child.pid, release)
    target = childOf(starting)
    isToolStarted = true
    using tool = await starting
    const status = await letGoInTime(held, tool, { hold, release })
    target = childOf(holding)
    if (flags.has('kill')) await killed(held)
    else await untilItsEnd(held)
    // Of a program that was held at the gate, the exec may have failed.
    await held.exited
    return status
  } catch (error) {
    await held.kill()
    throw error
  }
}

/** The child of what is being started. It may fail: that is reported where it is awaited. */
function childOf(starting: Promise<{ readonly child: Child }>): Promise<Child> {
  const child = starting.then(started => started.child)
  child.catch(() => {})
  return child
}

/** Lets the program go by the tool's rule, and waits for the tool's end; the exit status. */
async function letGoInTime(held: HeldForTool, tool: Tool, { release }: Handling): Promise<number> {
  const { pid } = held.child
  if (await tool.isReady(release)) held.letGo()
  const exit = await tool.child.exited
  const status = exitCodeOf(exit)
  if (!held.isHeld || tool.hasAttached) return status
  if (release === 'tool-exit' && status === 0) return status
  await held.kill()
  if (status !== 0) {
    report(`tracegate: the tool failed and never attached: process ${pid} was killed, it has not run\n`)
    return status
  }
  report(
    `tracegate: the tool ended and was never seen to attach: process ${pid} was killed, it has not run (--release tool-exit lets a program go when its tool ends)\n`,
  )
  return neverRan
}

/** Kills what the tool has left. */
async function killed(held: HeldForTool): Promise<void> {
  const { pid } = held.child
  if (traceStateOf(pid) === undefined) return
  await held.kill()
  report(`tracegate: the tool has ended: process ${pid} was killed\n`)
}

/** Stays until the program ends. A tool that leaves it stopped does not keep it so. */
async function untilItsEnd(held: HeldForTool): Promise<void> {
  const { pid } = held.child
  const goOn = () => {
    if (held.isHeld) held.letGo()
    held.child.kill('SIGCONT')
    report(`tracegate: the tool has left process ${pid} stopped: it goes on\n`)
  }
  const state = traceStateOf(pid)
  if (held.isHeld || (state?.isStopped === true && !state.isTraced)) goOn()
  using _ = watchLeftStopped(pid, goOn)
  await held.exited
}

/** The value of an option that has a few. @throws UsageError */
function oneOf<Value extends string>(
  known: readonly Value[],
  name: string,
  values: ReadonlyMap<string, string>,
): Value | undefined {
  const value = values.get(name)
  const found = known.find(each => each === value)
  if (value !== undefined && found === undefined) {
    throw new UsageError(`option '--${name}' needs one of ${known.join(', ')}, not ${quoted(value)}`)
  }
  return found
}
