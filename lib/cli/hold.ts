/** `tracegate hold`: leave a program stopped at its exec for another debugger. */

import { launch } from '../launch/launch.ts'
import { openSystem } from '../open-system.ts'
import { exitCodeOf } from './exit-code.ts'
import { isHeld } from './held.ts'
import { print } from './output.ts'
import { standBehind } from './terminal-signals.ts'
import { readCommandLine } from './usage.ts'

/** Runs the command; the exit status. */
export async function hold(words: readonly string[]): Promise<number> {
  const { flags, program, args } = readCommandLine(words, ['detach'], [])
  const detached = flags.has('detach')
  // No debugger knows a simulated process.
  const system = openSystem('native')
  // A stopped process whose process group loses its last link to the session gets SIGHUP: what is left behind has a session of its own.
  const tracee = await launch(program, args, { system, stdio: 'inherit', detached })
  let isAskedToEnd = false
  // Before it is handed off: from then on it outlives a command that is ended.
  const stopStanding = standBehind(
    () => tracee,
    () => {
      isAskedToEnd = true
      // Nobody has taken it over: let it run into the signal that it was sent.
      if (isHeld(tracee.pid)) tracee.kill('SIGCONT')
    },
  )
  await tracee.handOff()
  if (isAskedToEnd) tracee.kill('SIGCONT')
  try {
    print(`${tracee.pid}\n`)
  } catch (error) {
    // Nobody would ever find it.
    await tracee[Symbol.asyncDispose]()
    throw error
  }
  if (detached) {
    tracee.unref()
    return 0
  }
  const exit = await tracee.exited
  stopStanding()
  return exitCodeOf(exit)
}
