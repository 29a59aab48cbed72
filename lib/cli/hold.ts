/** `tracegate hold`: leaves a program stopped at its exec for another debugger. */

import type { Child } from '../launch/child.ts'
import { launch } from '../launch/launch.ts'
import type { Tracee } from '../launch/tracee.ts'
import { openSystem } from '../open-system.ts'
import { type SignalName, signalNumber } from '../system/signals.ts'
import { exitCodeOf } from './exit-code.ts'
import { forwardSignals } from './forwarded-signals.ts'
import { isUnrun, type Position } from './held.ts'
import { asStarted, inherited } from './inherited.ts'
import { report, tell } from './output.ts'
import { openPidFile, type PidFile } from './pid-file.ts'
import { printable, quoted } from './printable.ts'
import { readProc } from './proc.ts'
import { type CommandLine, readCommandLine, UsageError } from './usage.ts'

/** Signals that end a held program. */
const endings: ReadonlySet<SignalName> = new Set(['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'])

/** Whether a signal ends a held program. A hang-up that nohup has made the command ignore does not. */
export function endsHeld(signal: SignalName): boolean {
  return endings.has(signal) && !(signal === 'SIGHUP' && inherited.ignored.includes(signalNumber(signal)!))
}

/** The exit status at a deadline, as in timeout(1). */
const timedOut = 124

/** Runs the command; returns the exit status. */
export async function hold(words: readonly string[]): Promise<number> {
  const line = readCommandLine(words, { flags: ['detach'], options: ['pid-file', 'timeout'] })
  const timeoutMs = readTimeout(line)
  const path = line.values.get('pid-file')
  const pidFile = path === undefined ? undefined : openPidFile(path)
  let isLeftBehind = false
  try {
    const status = await holdToItsEnd(line, pidFile, timeoutMs)
    isLeftBehind = line.flags.has('detach') && status === 0
    return status
  } finally {
    if (!isLeftBehind) pidFile?.remove()
  }
}

async function holdToItsEnd(
  { flags, program, args }: CommandLine,
  pidFile: PidFile | undefined,
  timeoutMs: number | undefined,
): Promise<number> {
  const detached = flags.has('detach')
  // Debuggers cannot attach to a simulated process.
  const system = openSystem('native')
  let launching: Promise<Tracee> | undefined
  let start: Position | undefined
  let ended: { readonly why: string; readonly status: number } | undefined
  // Released instead, the program would run until the signal takes effect, or for good if it ignores the signal.
  const endUnrun = (child: Child, why: string, status: number): boolean => {
    if (start !== undefined && !isUnrun(child.pid, start)) return false
    ended ??= { why, status }
    child.kill('SIGKILL')
    return true
  }
  using _ = forwardSignals({
    target: () => launching,
    isReal: true,
    takes: ({ signal }, child) => endsHeld(signal) && endUnrun(child, `by ${signal}`, 128 + signalNumber(signal)!),
  })
  const begun = performance.now()
  // A stopped process gets SIGHUP when its group loses its last link to the session. A session of its own prevents it.
  launching = launch(program, args, { system, ...asStarted(), detached, ...(timeoutMs && { timeoutMs }) })
  const tracee = await launching
  const restMs = timeoutMs === undefined ? undefined : Math.max(1, timeoutMs - (performance.now() - begun))
  const deadline = restMs && setTimeout(() => endUnrun(tracee, 'at its deadline', timedOut), restMs)
  try {
    const { pc, sp } = tracee.registers()
    await tracee.handOff()
    start = { pc, sp }
  } catch (error) {
    // A tracee that was just killed cannot be handed off.
    if (ended === undefined) throw error
  }
  if (ended === undefined) await tellOrKill(tracee, program, pidFile)
  if (detached && ended === undefined) {
    tracee.unref()
    return 0
  }
  const exit = await tracee.exited
  clearTimeout(deadline)
  if (ended === undefined) return exitCodeOf(exit)
  report(`tracegate: process ${tracee.pid} was killed ${ended.why} before it was let go: it has not run\n`)
  return ended.status
}

/** Prints the pid and how to go on, or kills the program if that fails. */
async function tellOrKill(tracee: Tracee, program: string, pidFile: PidFile | undefined): Promise<void> {
  const { pid } = tracee
  const line = `tracegate: ${printable(quoted(program))} is held as process ${pid}: gdb -p ${pid} debugs it, kill -CONT ${pid} lets it go (as any SIGCONT, and so a shell's fg)\n`
  try {
    pidFile?.tell(pid)
    if (pidFile === undefined) tell(line)
    else report(line)
  } catch (error) {
    // Without the printed pid, the stopped program would stay behind unnoticed.
    await tracee[Symbol.asyncDispose]()
    throw error
  }
}

/** The deadline in milliseconds. */
function readTimeout({ flags, values }: CommandLine): number | undefined {
  const text = values.get('timeout')
  if (text === undefined) return undefined
  const ms = /^\d+(\.\d+)?$/.test(text) ? Math.ceil(Number(text) * 1000) : 0
  if (ms === 0 || ms >= 2 ** 31) {
    throw new UsageError(`option '--timeout' needs a number of seconds from 0.001 to 2147483, not ${quoted(text)}`)
  }
  if (flags.has('detach')) throw new UsageError("option '--timeout' cannot go with '--detach', which does not stay")
  // At the deadline only /proc shows whether the program is still at its held position.
  if (readProc('/proc/self/status') === '') throw new Error("option '--timeout' needs /proc, which is not mounted")
  return ms
}
