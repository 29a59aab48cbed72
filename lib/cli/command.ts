/** From a command line to the command, or to its help. */

import { didYouMean } from './did-you-mean.ts'
import { commandNames, helpOf } from './help.ts'
import { print } from './output.ts'
import { quoted } from './printable.ts'
import { HelpRequest, UsageError, version } from './usage.ts'

// Loaded lazily, to save time. A module that fails to load is then reported like any other failure.
const commands: Readonly<Record<string, (words: readonly string[]) => Promise<number>>> = {
  run: async words => (await import('./run.ts')).run(words),
  hold: async words => (await import('./hold.ts')).hold(words),
  with: async words => (await import('./with/with.ts')).withTool(words),
  explore: async words => (await import('./explore.ts')).explore(words),
  doctor: async words => (await import('./doctor.ts')).doctor(words),
}

/**
 * Runs the command that the words name; returns the exit status.
 *
 * @throws (by rejection) UsageError where they are no command line.
 */
export async function command([name, ...words]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h' || name === 'help') {
    print(helpOf(words[0]))
    return 0
  }
  if (name === '--version' || name === '-v' || name === '-V') {
    print(`${version()}\n`)
    return 0
  }
  if (name === undefined || name === '--') throw new UsageError('missing command: run, hold, with, explore or doctor')
  if (name.startsWith('-')) {
    throw new UsageError(`unknown option ${quoted(name)}${didYouMean(name, ['--help', '--version'])}`)
  }
  const run = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (run === undefined) {
    const meant = didYouMean(name, commandNames) || ', there are run, hold, with, explore and doctor'
    throw new UsageError(`unknown command ${quoted(name)}${meant}`)
  }
  try {
    return await run(words)
  } catch (error) {
    if (!(error instanceof HelpRequest)) throw error
    print(helpOf(name))
    return 0
  }
}
