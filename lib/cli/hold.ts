/** `tracegate hold`: leaves a program stopped at its exec for a debugger. */

import type { Tracee } from '../launch/handles/tracee.ts'
import { launch } from '../launch/launch.ts'
import { openSystem } from '../open-system.ts'
import { protocolVersion } from '../rendezvous/protocol.ts'
import { type SignalName, signalNumber } from '../system/signals.ts'
import type { System } from '../system/system.ts'
import { exitCodeOf, timedOut } from './exit-code.ts'
import { failureOf } from './failure.ts'
import { forwardSignals } from './forwarded-signals.ts'
import { HeldProgram } from './held-program.ts'
import { asStarted, inherited } from './inherited.ts'
import { watchLeftStopped } from './left-stopped.ts'
import { report, reportOrThrow } from './output.ts'
import { openPidFile, type PidFile } from './pid-file.ts'
import { printable, quoted } from './printable.ts'
import { identityOf, readProc } from './proc.ts'
import { openReporter, type Reporter, readAddress } from './report/reporter.ts'
import { type CommandLine, readCommandLine, UsageError } from './usage.ts'

/** Signals that end a held program. */
const endings: ReadonlySet<SignalName> = new Set(['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'])

/** Whether a signal ends a held program. A hang-up that nohup has made the command ignore does not. */
export function endsHeld(signal: SignalName): boolean {
  return endings.has(signal) && !(signal === 'SIGHUP' && inherited.ignored.includes(signalNumber(signal)!))
}

/** The exit status if the adapter aborts or goes. */
const aborted = 125

/** How long a report of a failed launch waits for a reader of its FIFO. */
const failureGraceMs = 5000
/** How long the last report waits for a reader that is there. */
const exitGraceMs = 1000

/** What the command line asks for. */
interface Order extends CommandLine {
  readonly system: System
  readonly timeoutMs: number | undefined
  readonly tracer: number | 'any' | undefined
  readonly pidFile: PidFile | undefined
  readonly reporter: Reporter | undefined
}

/** Runs the command; returns the exit status. */
export async function hold(words: readonly string[]): Promise<number> {
  const line = readCommandLine(words, { flags: ['detach'], options: ['pid-file', 'report', 'timeout', 'tracer'] })
  const where = line.values.get('report')
  const address = where === undefined ? undefined : readAddress(where)
  const timeoutMs = readTimeout(line, address?.kind === 'unix')
  const tracer = readTracer(line)
  const path = line.values.get('pid-file')
  // Debuggers cannot attach to a simulated process.
  const system = openSystem('native')
  const pidFile = path === undefined ? undefined : openPidFile(path)
  let reporter: Reporter | undefined
  let isLeftBehind = false
  let graceMs = failureGraceMs
  try {
    reporter = address && (await openReporter(system, address))
    const status = await holdToItsEnd({ ...line, system, timeoutMs, tracer, pidFile, reporter })
    graceMs = reporter?.words === undefined ? 0 : exitGraceMs
    isLeftBehind = line.flags.has('detach') && status === 0
    return status
  } catch (error) {
    reporter?.send({ kind: 'error', ...failureOf(error) })
    throw error
  } finally {
    if (!isLeftBehind) pidFile?.remove()
    const isTaken = await reporter?.close(graceMs)
    if (isTaken === false && graceMs > 0) report(`tracegate: no reader has taken the report to ${quoted(where!)}\n`)
  }
}

async function holdToItsEnd(order: Order): Promise<number> {
  const { flags, program, args, system, timeoutMs, tracer, reporter } = order
  const detached = flags.has('detach')
  let launching: Promise<Tracee> | undefined
  let held: HeldProgram | undefined
  using _ = forwardSignals({
    target: () => launching,
    isReal: true,
    takes: ({ signal }) =>
      endsHeld(signal) && held!.endUnrun({ why: `by ${signal}`, status: 128 + signalNumber(signal)! }),
  })
  const begun = performance.now()
  const limit = timeoutMs && { timeoutMs }
  // A stopped process gets SIGHUP when its group loses its last link to the session. In a session of its own it has no
  // such link to lose.
  const options = { system, ...asStarted({ without: reporter?.fd }), detached, tracer, ...limit }
  launching = launch(program, args, options).then(tracee => {
    held = new HeldProgram(tracee)
    return tracee
  })
  const tracee = await launching
  const restMs = timeoutMs === undefined ? undefined : Math.max(1, timeoutMs - (performance.now() - begun))
  const deadline = restMs && setTimeout(() => held!.endUnrun({ why: 'at its deadline', status: timedOut }), restMs)
  try {
    return await untilItsEnd(held!, order)
  } catch (error) {
    // A program that is not reported would stay behind unnoticed.
    await tracee[Symbol.asyncDispose]()
    throw error
  } finally {
    clearTimeout(deadline)
  }
}

async function untilItsEnd(held: HeldProgram, order: Order): Promise<number> {
  const { flags, program, reporter } = order
  const { tracee } = held
  const isAnswered = reporter?.words !== undefined
  if (!isAnswered) await held.leave()
  if (held.ending === undefined) {
    announce(held, order)
    reporter?.send({ v: protocolVersion, kind: 'held', pid: tracee.pid, ...identityOrNothing(tracee.pid), program })
    if (!isAnswered) reporter?.send({ kind: 'attachable' })
  }
  using _ = watchLeftStopped(tracee.pid, () => report(leftLine(tracee.pid)))
  const conversation = isAnswered ? converse(held, reporter) : { answered: Promise.resolve(), over: Promise.resolve() }
  const failed = conversation.over.then(() => tracee.exited)
  if (flags.has('detach')) {
    await Promise.race([conversation.answered, tracee.exited, failed])
    if (held.ending === undefined) {
      tracee.unref()
      return 0
    }
  }
  const exit = await Promise.race([tracee.exited, failed])
  reporter?.send({ kind: 'exited', code: exit.code, signal: exit.signal })
  if (held.ending === undefined) return exitCodeOf(exit)
  report(`tracegate: process ${tracee.pid} was killed ${held.ending.why} before it was let go: it has not run\n`)
  return held.ending.status
}

/**
 * Carries out the adapter's requests. `answered` resolves once the adapter has decided what becomes of the program.
 * `over` rejects if a request fails.
 */
function converse(held: HeldProgram, reporter: Reporter): { answered: Promise<void>; over: Promise<void> } {
  let answer = () => {}
  const answered = new Promise<void>(resolve => {
    answer = resolve
  })
  let isAnswered = false
  const listen = async () => {
    for await (const { kind } of reporter.words!) {
      if (kind === 'abort') held.endUnrun({ why: 'at the request of its adapter', status: aborted })
      else isAnswered = true
      if (kind === 'release') await held.release()
      if (kind === 'attach' && (await held.leave())) reporter.send({ kind: 'attachable' })
      answer()
    }
    if (!isAnswered) held.endUnrun({ why: 'because its adapter has gone', status: aborted })
    answer()
  }
  return { answered, over: listen() }
}

/** Prints the pid and how to go on. @throws if it cannot, and nothing else reports the pid. */
function announce({ tracee: { pid } }: HeldProgram, { program, pidFile, reporter }: Order): void {
  const how =
    reporter?.words === undefined
      ? `gdb -p ${pid} debugs it, kill -CONT ${pid} lets it go (as any SIGCONT, and so a shell's fg)`
      : 'its adapter attaches a debugger or lets it go'
  const line = `tracegate: ${printable(quoted(program))} is held as process ${pid}: ${how}\n`
  pidFile?.write(pid)
  if (pidFile === undefined && reporter === undefined) reportOrThrow(line)
  else report(line)
}

function leftLine(pid: number): string {
  return `tracegate: process ${pid} was left stopped and is traced by nothing: gdb -p ${pid} debugs it, kill -CONT ${pid} lets it go\n`
}

/** Without /proc nothing but its pid names a process. */
function identityOrNothing(pid: number): { startTime: number; tty: string | null } {
  return identityOf(pid) ?? { startTime: 0, tty: null }
}

/** The process that may attach although Yama restricts it. */
function readTracer({ values }: CommandLine): number | 'any' | undefined {
  const text = values.get('tracer')
  if (text === undefined || text === 'any') return text
  const pid = /^\d{1,10}$/.test(text) ? Number(text) : 0
  if (pid > 0 && pid < 2 ** 31) return pid
  throw new UsageError(`option '--tracer' needs a process id or any, not ${quoted(text)}`)
}

/** The deadline in milliseconds. */
function readTimeout({ flags, values }: CommandLine, isAnswered: boolean): number | undefined {
  const text = values.get('timeout')
  if (text === undefined) return undefined
  const ms = /^\d+(\.\d+)?$/.test(text) ? Math.ceil(Number(text) * 1000) : 0
  if (ms === 0 || ms >= 2 ** 31) {
    throw new UsageError(`option '--timeout' needs a number of seconds from 0.001 to 2147483, not ${quoted(text)}`)
  }
  if (flags.has('detach') && !isAnswered) {
    throw new UsageError("option '--timeout' cannot go with '--detach', which does not stay")
  }
  // At the deadline only /proc shows whether the program is still at its held position.
  if (readProc('/proc/self/status') === '') throw new Error("option '--timeout' needs /proc, which is not mounted")
  return ms
}
