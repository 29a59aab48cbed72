/** What launch() takes: the type, the check of every option by name, and the table of those that are an action of the child. */

import {
  checkAbortSignal,
  checkArray,
  checkObject,
  checkString,
  checkSystem,
  checkTimeout,
  invalidType,
  invalidValue,
} from '../system/arguments.ts'
import type { ChildAction } from '../system/child-program.ts'
import type { System } from '../system/system.ts'
import type { Child } from './child.ts'
import type { StdioOptions } from './stdio.ts'

/** How the child is traced: by its own PTRACE_TRACEME, by PTRACE_SEIZE (interrupt() and group stops without side effects), or not. */
export type TraceMode = 'traceme' | 'seize' | false

/** Options of launch(). An option that is not listed here is refused by name. */
export interface LaunchOptions {
  /** Where to launch; openSystem() by default. */
  readonly system?: System | undefined
  /** The child's working directory. */
  readonly cwd?: string | undefined
  /** The child's environment; process.env by default. Undefined values are left out. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** argv[0]; the file by default. */
  readonly argv0?: string | undefined
  /** The child's descriptors, as child_process has them; 'pipe' by default. */
  readonly stdio?: StdioOptions | undefined
  /** 'traceme' by default. */
  readonly trace?: TraceMode | undefined
  /** Whether a traced child is killed when its tracer ends; true by default. */
  readonly exitKill?: boolean | undefined
  /** Runs while the child waits at the gate: its pid known, nothing of the program loaded. A throw aborts the launch. */
  readonly beforeExec?: ((child: Child) => void | Promise<void>) | undefined
  /** A limit for the launch, in milliseconds; not for the child's life. */
  readonly timeoutMs?: number | undefined
  /** Aborts the launch; not the child's life. */
  readonly signal?: AbortSignal | undefined
  /** Whether the child makes a session of its own (setsid). */
  readonly detached?: boolean | undefined
  /** 'shared': the parent's memory until exec, however large that is; 'copied': a plain fork; 'auto' (the default) picks. */
  readonly memory?: 'shared' | 'copied' | 'auto' | undefined
}

interface ChildOption<Name extends keyof LaunchOptions> {
  readonly option: Name
  readonly check: (value: unknown, name: string) => unknown
  readonly actions: (value: Exclude<LaunchOptions[Name], undefined>) => readonly ChildAction[]
}

function childOption<Name extends keyof LaunchOptions>(row: ChildOption<Name>): ChildOption<keyof LaunchOptions> {
  return row as unknown as ChildOption<keyof LaunchOptions>
}

/**
 * The options that are actions of the child, in the order in which it carries them out, between its descriptors and its gate.
 * A new one is a row here and, where the interpreters do not know it yet, an action.
 */
const childOptions = [
  childOption({ option: 'detached', check: checkBoolean, actions: on => (on ? [{ op: 'setsid' }] : []) }),
  childOption({ option: 'cwd', check: checkString, actions: path => [{ op: 'chdir', path }] }),
]

const otherChecks: { readonly [Name in keyof LaunchOptions]?: (value: unknown, name: string) => unknown } = {
  system: checkSystem,
  env: checkObject,
  argv0: checkString,
  stdio: () => {}, // read by checkStdio, which needs the whole of it
  trace: (value, name) => checkOneOf(value, name, ['traceme', 'seize', false]),
  exitKill: checkBoolean,
  beforeExec: checkFunction,
  timeoutMs: (value, name) => checkTimeout(value, name),
  signal: (value, name) => checkAbortSignal(value, name),
  memory: (value, name) => checkOneOf(value, name, ['shared', 'copied', 'auto']),
}

interface KnownOption {
  readonly check: (value: unknown, name: string) => unknown
  /** Its place in the table above; -1 where it is not in there. */
  readonly place: number
}

const knownOptions = new Map<string, KnownOption>([
  ...Object.entries(otherChecks).map(([name, check]) => [name, { check, place: -1 }] as const),
  ...childOptions.map(({ option, check }, place) => [option, { check, place }] as const),
])

/**
 * Refuses a wrong type, a value that is none of an option's, and an option that launch() does not know.
 * What is left: the actions that the options ask of the child, in their order.
 */
export function checkLaunchOptions(value: unknown): ChildAction[] {
  const given = checkObject(value, 'options')
  const places: number[] = []
  // Inherited ones count, too: they are read like own ones.
  for (const name in given) {
    const option = knownOptions.get(name)
    // Ignored, an unknown option would be a hole: think of a misspelt `uid`.
    if (option === undefined) throw invalidValue(`options.${name}`, 'is no option of launch()')
    const setting = given[name]
    if (setting === undefined) continue
    option.check(setting, `options.${name}`)
    if (option.place >= 0) places.push(option.place)
  }
  const options = value as LaunchOptions
  return places
    .sort((a, b) => a - b)
    .flatMap(place => {
      const { option, actions } = childOptions[place]!
      return actions(options[option]!)
    })
}

/** argv[0] and the arguments, checked. */
export function checkArguments(file: unknown, args: unknown, options: LaunchOptions): string[] {
  if (checkString(file, 'file') === '') throw invalidValue('file', 'must not be empty', '')
  const argv = [options.argv0 ?? (file as string)]
  // Not forEach, which passes over holes.
  for (const arg of checkArray(args, 'args')) argv.push(checkString(arg, `args[${argv.length - 1}]`))
  return argv
}

/** The environment as execve takes it. */
export function checkEnvironment(env: Readonly<Record<string, string | undefined>>): string[] {
  const list: string[] = []
  // Not Object.entries, which takes twice as long on process.env.
  for (const key of Object.keys(env)) {
    const value = env[key]
    if (value === undefined) continue
    if (typeof value === 'symbol') throw invalidType(`options.env.${key}`, 'of type string', value)
    const entry = `${key}=${value}`
    if (entry.includes('\0')) throw invalidValue('options.env', 'must be free of null bytes', JSON.stringify(entry))
    list.push(entry)
  }
  return list
}

function checkBoolean(value: unknown, name: string): void {
  if (typeof value !== 'boolean') throw invalidType(name, 'of type boolean', value)
}

function checkFunction(value: unknown, name: string): void {
  if (typeof value !== 'function') throw invalidType(name, 'of type function', value)
}

function checkOneOf(value: unknown, name: string, allowed: readonly unknown[]): void {
  if (allowed.includes(value)) return
  const shown = allowed.map(each => (typeof each === 'string' ? `'${each}'` : String(each)))
  throw invalidValue(name, `must be one of ${shown.join(', ')}`, value)
}
