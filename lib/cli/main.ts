#!/usr/bin/env node
/** The tracegate command. */

import { exitCodeOfFailure } from './exit-code.ts'
import { print, report } from './output.ts'
import { HelpRequest, help, UsageError, version } from './usage.ts'

// Each is loaded for itself alone: for the time that takes, and since what cannot even be loaded is then reported as any failure is.
const commands: Readonly<Record<string, (words: readonly string[]) => Promise<number>>> = {
  run: async words => (await import('./run.ts')).run(words),
  hold: async words => (await import('./hold.ts')).hold(words),
  with: async words => (await import('./with.ts')).withTool(words),
  explore: async words => (await import('./explore.ts')).explore(words),
  doctor: async words => (await import('./doctor.ts')).doctor(words),
}

async function main([name, ...words]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h' || name === 'help') throw new HelpRequest()
  if (name === '--version' || name === '-v' || name === '-V') {
    print(`${version()}\n`)
    return 0
  }
  if (name === undefined || name === '--') throw new UsageError('missing command: run, hold, with, explore or doctor')
  if (name.startsWith('-')) throw new UsageError(`unknown option '${name}'`)
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined)
    throw new UsageError(`unknown command '${name}', there are run, hold, with, explore and doctor`)
  return await command(words)
}

async function mainWithHelp(words: readonly string[]): Promise<number> {
  try {
    return await main(words)
  } catch (error) {
    if (!(error instanceof HelpRequest)) throw error
    print(help)
    return 0
  }
}

mainWithHelp(process.argv.slice(2)).then(
  status => {
    process.exitCode = status
  },
  (error: unknown) => {
    const isUsage = error instanceof UsageError
    const message = error instanceof Error ? error.message : String(error)
    report(`tracegate: ${message}${isUsage ? ' (see tracegate --help)' : ''}\n`)
    process.exitCode = isUsage ? 2 : exitCodeOfFailure(error)
  },
)
