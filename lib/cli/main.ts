#!/usr/bin/env node
/** The tracegate command. */

// First: it restores the environment of the command's start.
import './inherited.ts'
// Before the commands' modules are loaded.
import './compile-cache.ts'
import { NativeUnavailableError } from '../system/errors.ts'
import { signalNumber } from '../system/signals.ts'
import { command } from './command.ts'
import { exitCodeOfFailure } from './exit-code.ts'
import { ReaderGone, report } from './output.ts'
import { printable, printableLines } from './printable.ts'
import { UsageError } from './usage.ts'

/** One line, except for the causes and the cure of a missing native layer. */
function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return error instanceof NativeUnavailableError ? printableLines(message) : printable(message)
}

command(process.argv.slice(2)).then(
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
