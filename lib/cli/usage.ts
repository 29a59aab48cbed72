/** What the command tells of itself, and how its command line is read. */

import { createRequire } from 'node:module'
import { type ParseArgsConfig, parseArgs } from 'node:util'

export const help = `Usage: tracegate <command> [options] -- program [args...]
       tracegate explore [options]
       tracegate doctor [options]

Starts a program held at its exec: forked, traced, reported ready and stopped before its first instruction.

Commands:
  run      launch it traced, print the handshake with its timings, and run it to its end
             --timeline   draw who did what, and when
             --json       print it as one line of JSON
             --simulate   in the simulated system
  hold     leave it stopped at its exec for a debugger, print its pid, stay until it ends
             --detach     do not stay: leave it there, in a session of its own
  with     hold it while a tool runs, {pid} in the tool's line standing for its pid, and clean up:
             tracegate with 'gdb -p {pid}' -- program
             --continue   send SIGCONT once the tool has attached (strace -p and perf need it)
  explore  show a launcher's race, found by trying every schedule in the simulated system, and gone with a Channel
             --svg FILE   write the picture of the schedule that fails
             --json       print it as one line of JSON
  doctor   say what works on this machine, what does not and why, and what cures it
             --json       print it as one line of JSON

  --help, --version

Exit status: the program's (of 'with': the tool's), 128+n when signal n ended it; 127 when the program was not found,
126 when it could not be executed, 125 when the launch failed, 2 for bad usage. Of 'doctor': 1 when launching cannot work.
`

/** The command line is wrong; the message says how, in one line. */
export class UsageError extends Error {}

/** The command line asks for help. */
export class HelpRequest extends Error {}

/** A command's own words: its options, what it takes before the program, and the program with its arguments. */
export interface CommandLine {
  readonly flags: ReadonlySet<string>
  readonly operands: readonly string[]
  readonly program: string
  readonly args: readonly string[]
}

/** Reads what follows the command: its flags and operands, then the program, behind `--` or, without operands, as the first word that is no option. */
export function readCommandLine(
  words: readonly string[],
  flags: readonly string[],
  operands: readonly string[],
): CommandLine {
  const separator = words.indexOf('--')
  const firstPlain = words.findIndex(word => !word.startsWith('-'))
  const isOpen = operands.length === 0 && firstPlain >= 0 && (separator < 0 || firstPlain < separator)
  const end = isOpen ? firstPlain : separator < 0 ? words.length : separator
  if (words.slice(0, end).some(word => word === '--help' || word === '-h')) throw new HelpRequest()
  const [program, ...args] = words.slice(isOpen || separator < 0 ? end : end + 1)
  const own = parse(words.slice(0, end), flags)
  if (own.positionals.length < operands.length) throw new UsageError(`missing ${operands[own.positionals.length]}`)
  if (own.positionals.length > operands.length) {
    const unexpected = own.positionals[operands.length]
    if (separator < 0) throw new UsageError(`missing -- before the program: '${unexpected}'`)
    throw new UsageError(`unexpected argument '${unexpected}' before --`)
  }
  if (program === undefined || program === '') throw new UsageError('missing program: write it after --')
  return { flags: own.flags, operands: own.positionals, program, args }
}

/** Reads the words of a command that takes no program: its flags, and its options with their values. */
export function readOptions(
  words: readonly string[],
  flags: readonly string[],
  options: readonly string[],
): { flags: ReadonlySet<string>; values: ReadonlyMap<string, string> } {
  if (words.some(word => word === '--help' || word === '-h')) throw new HelpRequest()
  const own = parse(words, flags, options)
  const [unexpected] = own.positionals
  if (unexpected !== undefined) throw new UsageError(`unexpected argument '${unexpected}'`)
  for (const [option, value] of own.values) if (value === '') throw new UsageError(`option '--${option}' is empty`)
  return own
}

interface Parsed {
  readonly flags: Set<string>
  readonly values: Map<string, string>
  readonly positionals: string[]
}

function parse(words: readonly string[], flags: readonly string[], valued: readonly string[] = []): Parsed {
  const options: NonNullable<ParseArgsConfig['options']> = Object.fromEntries([
    ...flags.map(flag => [flag, { type: 'boolean' }]),
    ...valued.map(option => [option, { type: 'string' }]),
  ])
  try {
    const { values, positionals } = parseArgs({ args: [...words], options, allowPositionals: true })
    const given = Object.entries(values).filter((each): each is [string, string] => typeof each[1] === 'string')
    return { flags: new Set(Object.keys(values)), values: new Map(given), positionals }
  } catch (error) {
    // parseArgs appends advice to its first sentence.
    const [sentence = ''] = (error as Error).message.replaceAll('\n', ' ').split('. ')
    throw new UsageError(sentence.charAt(0).toLowerCase() + sentence.slice(1))
  }
}

/** The package's version. */
export function version(): string {
  const require = createRequire(import.meta.url)
  return (require('../../package.json') as { version: string }).version
}
