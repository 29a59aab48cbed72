#!/usr/bin/env node
/** The tracegate command. */

import { exitCodeOfFailure } from './exit-code.ts'
import { hold } from './hold.ts'
import { print, report } from './output.ts'
import { run } from './run.ts'
import { HelpRequest, help, UsageError, version } from './usage.ts'
import { withTool } from './with.ts'

const commands: Readonly<Record<string, (words: readonly string[]) => Promise<number>>> = {
  run,
  hold,
  with: withTool,
  // The explorer is loaded for nobody else.
  explore: async words => (await import('./explore.ts')).explore(words),
}

async function main([name, ...words]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h' || name === 'help') throw new HelpRequest()
  if (name === '--version' || name === '-v' || name === '-V') {
    print(`${version()}\n`)
    return 0
  }
  if (name === undefined || name === '--') throw new UsageError('missing command: run, hold, with or explore')
  if (name.startsWith('-')) throw new UsageError(`unknown option '${name}'`)
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) throw new UsageError(`unknown command '${name}', there are run, hold, with and explore`)
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
