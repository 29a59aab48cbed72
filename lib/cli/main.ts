#!/usr/bin/env node
/** The tracegate command. */

import { exitCodeOfFailure } from './exit-code.ts'
import { hold } from './hold.ts'
import { run } from './run.ts'
import { help, UsageError, version } from './usage.ts'
import { withTool } from './with.ts'

const commands: Readonly<Record<string, (words: readonly string[]) => Promise<number>>> = { run, hold, with: withTool }

async function main([name, ...words]: readonly string[]): Promise<number> {
  const firstOwn = words.slice(0, words.includes('--') ? words.indexOf('--') : words.length)
  if (name === '--help' || name === '-h' || name === 'help' || firstOwn[0] === '--help') {
    process.stdout.write(help)
    return 0
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${version()}\n`)
    return 0
  }
  if (name === undefined) throw new UsageError('missing command')
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) throw new UsageError(`unknown command '${name}'`)
  return await command(words)
}

// Whoever stops reading the report must not end the program with it.
process.stderr.on('error', () => {})

main(process.argv.slice(2)).then(
  status => {
    process.exitCode = status
  },
  (error: unknown) => {
    const isUsage = error instanceof UsageError
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`tracegate: ${message}${isUsage ? ' (see tracegate --help)' : ''}\n`)
    process.exitCode = isUsage ? 2 : exitCodeOfFailure(error)
  },
)
