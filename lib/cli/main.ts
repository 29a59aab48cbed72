#!/usr/bin/env node
/** The tracegate command. */

// First: it restores the environment of the command's start.
import './inherited.ts'
// Before the commands' modules are loaded.
import './compile-cache.ts'
import { NativeUnavailableError } from '../system/errors.ts'
import { signalNumber } from '../system/signals.ts'
import { didYouMean } from './did-you-mean.ts'
import { exitCodeOfFailure } from './exit-code.ts'
import { commandNames, helpOf } from './help.ts'
import { print, ReaderGone, report } from './output.ts'
import { printable, printableLines, quoted } from './printable.ts'
import { HelpRequest, UsageError, version } from './usage.ts'

// Loaded lazily, to save time. A module that fails to load is then reported like any other failure.
const commands: Readonly<Record<string, (words: readonly string[]) => Promise<number>>> = {
  run: async words => (await import('./run.ts')).run(words),
  hold: async words => (await import('./hold.ts')).hold(words),
  with: async words => (await import('./with/with.ts')).withTool(words),
  explore: async words => (await import('./explore.ts')).explore(words),
  doctor: async words => (await import('./doctor.ts')).doctor(words),
}

async function main([name, ...words]: readonly string[]): Promise<number> {
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
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) {
    const meant = didYouMean(name, commandNames) || ', there are run, hold, with, explore and doctor'
    throw new UsageError(`unknown command ${quoted(name)}${meant}`)
  }
  try {
    return await command(words)
  } catch (error) {
    if (!(error instanceof HelpRequest)) throw error
    print(helpOf(name))
    return 0
  }
}

/** One line, except for the causes and the cure of a missing native layer. */
function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return error instanceof NativeUnavailableError ? printableLines(message) : printable(message)
}

main(process.argv.slice(2)).then(
  status => {
    process.exitCode = status
  },
  (error: unknown) => {
    if (error instanceof ReaderGone) {
      process.exitCode = 128 + signalNumber('SIGPIPE')!
      return
    }
    const isUsage = error instanceof UsageError
    report(`tracegate: ${describe(error)}${isUsage ? ' (see tracegate --help)' : ''}\n`)
    process.exitCode = isUsage ? 2 : exitCodeOfFailure(error)
  },
)
