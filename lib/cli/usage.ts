/** The command line parser. */

import { packageVersion } from '../native/own-package.ts'
import { didYouMean } from './did-you-mean.ts'
import { quoted } from './printable.ts'

/** An invalid command line; the message explains it in one line. */
export class UsageError extends Error {}

/** A request for help. */
export class HelpRequest extends Error {}

/** A command's syntax: options without a value, with one, with one each time, and operands before the program. */
export interface Syntax {
  readonly flags?: readonly string[]
  readonly options?: readonly string[]
  readonly lists?: readonly string[]
  readonly operands?: readonly string[]
}

/** A command's own options and operands. */
export interface Options {
  readonly flags: ReadonlySet<string>
  readonly values: ReadonlyMap<string, string>
  readonly lists: ReadonlyMap<string, readonly string[]>
}

/** A command's own options and operands, and the program with its arguments. */
export interface CommandLine extends Options {
  readonly operands: readonly string[]
  readonly program: string
  readonly args: readonly string[]
}

/**
 * Parses the words after the command: options and operands, then the program. The program follows `--`; without
 * operands it is the first word that is no option.
 */
export function readCommandLine(words: readonly string[], syntax: Syntax): CommandLine {
  const { operands: names = [] } = syntax
  const operands: string[] = []
  const own = parse(words, syntax, (word, rest) => {
    if (names.length === 0) return 'end'
    if (operands.length === names.length) {
      if (!rest.includes('--')) throw new UsageError(`missing -- before the program: ${quoted(word)}`)
      throw new UsageError(`unexpected argument ${quoted(word)} before --`)
    }
    operands.push(word)
    return 'next'
  })
  if (operands.length < names.length) throw new UsageError(`missing ${names[operands.length]}`)
  const [program, ...args] = own.rest
  if (program === undefined || program === '') throw new UsageError('missing program: write it after --')
  return { flags: own.flags, values: own.values, lists: own.lists, operands, program, args }
}

/** Parses the words of a command without a program. */
export function readOptions(words: readonly string[], syntax: Syntax): Options {
  const { rest, ...options } = parse(words, syntax, () => 'end')
  if (rest[0] !== undefined) throw new UsageError(`unexpected argument ${quoted(rest[0])}`)
  return options
}

/** Parses options up to `--`, or up to a word that `plain` accepts as the end. */
function parse(
  words: readonly string[],
  { flags = [], options = [], lists = [] }: Syntax,
  plain: (word: string, rest: readonly string[]) => 'next' | 'end',
): Options & { rest: readonly string[] } {
  const given = {
    flags: new Set<string>(),
    values: new Map<string, string>(),
    lists: new Map<string, string[]>(),
  }
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    if (word === '--') return { ...given, rest: words.slice(at + 1) }
    if (word === '--help' || word === '-h') throw new HelpRequest()
    if (!word.startsWith('-') || word === '-') {
      if (plain(word, words.slice(at)) === 'end') return { ...given, rest: words.slice(at) }
      continue
    }
    const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? []
    if (flags.includes(name)) {
      if (value !== undefined) throw new UsageError(`option '--${name}' does not take an argument`)
      given.flags.add(name)
    } else if (options.includes(name) || lists.includes(name)) {
      const next = value ?? words[++at]
      if (next === undefined || (value === undefined && next.startsWith('-'))) {
        throw new UsageError(`option '--${name}' needs a value`)
      }
      if (next === '') throw new UsageError(`option '--${name}' is empty`)
      if (lists.includes(name)) given.lists.set(name, [...(given.lists.get(name) ?? []), next])
      else given.values.set(name, next)
    } else {
      const option = word.split('=')[0]!
      const known = ['help', ...flags, ...options, ...lists].map(each => `--${each}`)
      throw new UsageError(`unknown option ${quoted(option)}${didYouMean(option, known)}`)
    }
  }
  return { ...given, rest: [] }
}

/** The package's version. */
export function version(): string {
  return packageVersion() ?? 'unknown'
}
