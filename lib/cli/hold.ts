/** `tracegate hold`: leave a program stopped at its exec for another debugger. */

import { launch } from '../launch/launch.ts'
import type { Tracee } from '../launch/tracee.ts'
import { openSystem } from '../open-system.ts'
import { type SignalName, signalNumber } from '../system/signals.ts'
import { exitCodeOf } from './exit-code.ts'
import { forwardSignals } from './forwarded-signals.ts'
import { isHeld } from './held.ts'
import { asStarted, inherited } from './inherited.ts'
import { print, report } from './output.ts'
import { readCommandLine } from './usage.ts'

/** These end a program that was not let go. */
const endings: ReadonlySet<SignalName> = new Set(['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'])

/** Whether a signal is to end a program that is held: a hang-up that nohup has the command ignore is not. */
export function endsHeld(signal: SignalName): boolean {
  return endings.has(signal) && !(signal === 'SIGHUP' && inherited.ignored.includes(signalNumber(signal)!))
}

/** Runs the command; the exit status. */
export async function hold(words: readonly string[]): Promise<number> {
  const { flags, program, args } = readCommandLine(words, { flags: ['detach'] })
  const detached = flags.has('detach')
  // No debugger knows a simulated process.
  const system = openSystem('native')
  let launching: Promise<Tracee> | undefined
  let isHandedOff = false
  let endedBy: SignalName | undefined
  using _ = forwardSignals({
    target: () => launching,
    isReal: true,
    takes({ signal }, tracee) {
      if (!endsHeld(signal) || (isHandedOff && !isHeld(tracee.pid))) return false
      // Let go, it would run up to the signal, or for good where it ignores it.
      endedBy ??= signal
      tracee.kill('SIGKILL')
      return true
    },
  })
  // A stopped process whose process group loses its last link to the session gets SIGHUP: what is left behind has a session of its own.
  launching = launch(program, args, { system, ...asStarted(), detached })
  const tracee = await launching
  await tracee.handOff().catch((error: unknown) => {
    // A tracee that was just killed has nothing to hand off.
    if (endedBy === undefined) throw error
  })
  isHandedOff = true
  try {
    if (endedBy === undefined) print(`${tracee.pid}\n`)
  } catch (error) {
    // Nothing else would ever find it.
    await tracee[Symbol.asyncDispose]()
    throw error
  }
  if (detached && endedBy === undefined) {
    tracee.unref()
    return 0
  }
  const exit = await tracee.exited
  if (endedBy === undefined) return exitCodeOf(exit)
  report(`tracegate: process ${tracee.pid} was killed by ${endedBy} before it was let go: it has not run\n`)
  return 128 + signalNumber(endedBy)!
}
