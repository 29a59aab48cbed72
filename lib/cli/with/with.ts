/** `tracegate with`: holds a program while a tool works on it. */

import { basename } from 'node:path'
import type { Child } from '../../launch/handles/child.ts'
import { openSystem } from '../../open-system.ts'
import { type SignalName, signalNumber } from '../../system/signals.ts'
import { exitCodeOf } from '../exit-code.ts'
import { forwardSignals } from '../forwarded-signals.ts'
import { endsHeld } from '../hold.ts'
import { asStarted } from '../inherited.ts'
import { watchLeftStopped } from '../left-stopped.ts'
import { report } from '../output.ts'
import { printable, quoted } from '../printable.ts'
import { traceStateOf } from '../proc.ts'
import { readCommandLine, UsageError } from '../usage.ts'
import { type HeldForTool, holdAtExec, holdAtGate } from './held-for-tool.ts'
import { type Handling, handlingOf, holds, releases } from './known-tools.ts'
import { Match } from './match.ts'
import { Tool } from './tool.ts'

/** The exit status if the program to be held never ran, although neither the tool nor the program has failed. */
const neverRan = 125

/** What the command line asks for. */
interface Order extends Handling {
  readonly line: string
  readonly match: string | undefined
  readonly isToKill: boolean
  readonly program: string
  readonly args: readonly string[]
}

/**
 * Runs the command; returns the exit status: the tool's, or with --match the program's if the tool has not failed.
 */
export async function withTool(words: readonly string[]): Promise<number> {
  const order = readOrder(words)
  const { match: name, program, args } = order
  // Tools cannot attach to a simulated process.
  const system = openSystem('native')
  let target: Promise<Child> | undefined
  let isHeldUnseen = false
  let endedBy: SignalName | undefined
  using _ = forwardSignals({
    target: () => target,
    isReal: true,
    takes({ signal }) {
      if (!isHeldUnseen || !endsHeld(signal)) return false
      endedBy ??= signal
      return true
    },
  })
  // Yama: this process's descendants may attach, and so the tool.
  const options = { system, ...asStarted(), tracer: process.pid }

  /** Runs the tool on a program; the tool's status. The signals are the tool's until it has ended. */
  async function runTool(held: HeldForTool): Promise<number> {
    const before = target
    const starting = Tool.start(system, order.line, held.child.pid, order.release)
    target = childOf(starting)
    isHeldUnseen = false
    using tool = await starting
    const status = await letGoByRule(held, tool, order)
    target = before
    if (order.isToKill) await killed(held)
    else await untilItsEnd(held)
    // The exec of a program that was held at the gate may have failed.
    await held.exited
    return status
  }

  if (name !== undefined) {
    const starting = Match.start(name, program, args, options)
    target = childOf(starting)
    const match = await starting
    try {
      const held = await match.held
      const status = held === undefined ? noMatch(order, name) : await runTool(held)
      const ofProgram = exitCodeOf(await match.child.exited)
      // Without a match, a failure of the program says more.
      return held === undefined ? ofProgram || status : status || ofProgram
    } catch (error) {
      // The first failure is reported, not that the program cannot be killed either.
      await match.kill().catch(() => {})
      throw error
    }
  }

  isHeldUnseen = true
  const holding = (order.hold === 'gate' ? holdAtGate : holdAtExec)(program, args, options)
  target = childOf(holding)
  const held = await holding
  try {
    if (endedBy === undefined) return await runTool(held)
    await held.kill()
    return 128 + signalNumber(endedBy)!
  } catch (error) {
    await held.kill()
    throw error
  }
}

function readOrder(words: readonly string[]): Order {
  const { flags, values, operands, program, args } = readCommandLine(words, {
    flags: ['kill'],
    options: ['hold', 'match', 'release'],
    operands: ["the tool's line"],
  })
  const line = operands[0]!
  if (!line.includes('{pid}')) throw new UsageError(`the tool's line has no {pid}: ${quoted(line)}`)
  const known = handlingOf(line)
  const match = values.get('match')
  const askedHold = oneOf(holds, 'hold', values)
  if (match?.includes('/')) throw new UsageError(`option '--match' needs a name, not a path: ${quoted(match)}`)
  if (match !== undefined && askedHold === 'gate') {
    throw new UsageError("option '--match' cannot go with '--hold gate': a program's name is known at its exec only")
  }
  const hold = askedHold ?? (match === undefined ? known.hold : 'exec')
  const asked = oneOf(releases, 'release', values) ?? known.release
  // At the gate the program waits for its starter: no debugger can let it go.
  const release = asked === 'tool' && hold === 'gate' ? 'attached' : asked
  return { line, match, hold, release, isToKill: flags.has('kill'), program, args }
}

/** Says that no process has matched; the exit status for that. */
function noMatch({ program }: Order, name: string): number {
  const hint = basename(program) === name ? ' (without --match the program itself is held)' : ''
  report(
    `tracegate: no process below ${printable(quoted(program))} ran ${printable(quoted(name))}: none was held${hint}\n`,
  )
  return neverRan
}

/** The child of a tool or program being started. A failure is reported where `starting` itself is awaited. */
function childOf(starting: Promise<{ readonly child: Child }>): Promise<Child> {
  const child = starting.then(started => started.child)
  child.catch(() => {})
  return child
}

/** Lets the program go by the `release` rule, and waits for the tool's end; the exit status. */
async function letGoByRule(held: HeldForTool, tool: Tool, { release }: Handling): Promise<number> {
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
  if (!held.child.kill(0) || traceStateOf(pid) === undefined) return
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
  if (held.isHeld || (state?.isStopped === true && state.tracer === 0)) goOn()
  using watch = watchLeftStopped(pid, goOn, true)
  // A process that another one reaps may leave its number to a new one.
  const isOver = () => watch[Symbol.dispose]()
  held.child.exited.then(isOver, isOver)
  await held.exited
}

/** The value of an option that allows only `known` ones. @throws UsageError */
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
