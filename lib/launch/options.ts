/**
 * The options of launch(): their type, the check of each by name, and the table of those that the child carries out.
 */

import { fileURLToPath } from 'node:url'
import {
  checkAbortSignal,
  checkBoolean,
  checkFunction,
  checkList,
  checkOptions,
  checkSignalOfSet,
  checkString,
  checkTimeout,
  invalidType,
  invalidValue,
} from '../system/arguments.ts'
import { checkSystem } from '../system/check-system.ts'
import type { ChildAction } from '../system/child-program.ts'
import type { Signal } from '../system/signals.ts'
import type { System } from '../system/system.ts'
import type { Child } from './child.ts'
import { readEnvironment } from './environment.ts'
import { checkStdio, type StdioOptions } from './stdio.ts'

/**
 * How the child is traced: 'traceme' by its own PTRACE_TRACEME, 'seize' by PTRACE_SEIZE, false not at all. PTRACE_SEIZE
 * gives interrupt() and group stops without side effects.
 */
export type TraceMode = 'traceme' | 'seize' | false

/** Options of launch(). An option that is not listed here is refused by name. */
export interface LaunchOptions {
  /** Where to launch; openSystem() by default. */
  readonly system?: System | undefined
  /** The child's working directory: a path, or a file: URL. */
  readonly cwd?: string | URL | undefined
  /**
   * The child's environment; by default process.env as of the call. As in child_process, undefined values are left out.
   */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** argv[0]; the file by default. */
  readonly argv0?: string | undefined
  /** The child's descriptors, as child_process has them; 'pipe' by default. */
  readonly stdio?: StdioOptions | undefined
  /** 'traceme' by default. */
  readonly trace?: TraceMode | undefined
  /** Whether a traced child is killed when its tracer ends; true by default. */
  readonly exitKill?: boolean | undefined
  /**
   * Runs while the child waits at the gate: its pid is known, nothing of the program is loaded. A throw aborts the
   * launch.
   */
  readonly beforeExec?: ((child: Child) => void | Promise<void>) | undefined
  /** Limit for the launch, in milliseconds; it does not limit the child's life. */
  readonly timeoutMs?: number | undefined
  /** Aborts the launch; it does not end a launched child. */
  readonly signal?: AbortSignal | undefined
  /** Whether the child makes a session of its own (setsid). */
  readonly detached?: boolean | undefined
  /** The signals that the program starts with blocked; none by default, whatever this process blocks. */
  readonly signalMask?: readonly Signal[] | undefined
  /**
   * The signals that the program starts with ignored, as nohup(1) ignores SIGHUP. None by default, whatever this
   * process ignores.
   */
  readonly ignoreSignals?: readonly Signal[] | undefined
  /**
   * How the child gets its memory. 'shared' uses the parent's memory until exec, at any size; 'copied' is a plain fork;
   * 'auto' (the default) picks.
   */
  readonly memory?: 'shared' | 'copied' | 'auto' | undefined
}

type Check<Value> = (value: unknown, name: string) => Value

/** The check of each option. It returns the value to use. */
const checks = {
  system: checkSystem,
  cwd: checkDirectory,
  env: readEnvironment,
  argv0: checkString,
  stdio: checkStdio,
  trace: checkOneOf('traceme', 'seize', false),
  exitKill: checkBoolean,
  beforeExec: checkHook,
  timeoutMs: checkTimeout,
  signal: checkAbortSignal,
  detached: checkBoolean,
  signalMask: checkSignals(),
  // SIGKILL and SIGSTOP cannot be ignored.
  ignoreSignals: checkSignals(9, 19),
  memory: checkOneOf('shared', 'copied', 'auto'),
} satisfies { readonly [Name in keyof LaunchOptions]-?: Check<unknown> }

type OptionName = keyof typeof checks

const optionNames = Object.keys(checks) as OptionName[]

/** The given options, as their checks returned them. */
export type CheckedOptions = { readonly [Name in OptionName]?: ReturnType<(typeof checks)[Name]> }

/**
 * The options that are actions of the child, in order; they run between its descriptors and its gate. A new option is a
 * row here, its check above and, where the interpreters lack it, an action.
 */
const childOptions: readonly ((options: CheckedOptions) => ChildAction | undefined)[] = [
  ({ detached }) => (detached === true ? { op: 'setsid' } : undefined),
  ({ ignoreSignals }) => ignoreSignals && { op: 'ignoreSignals', signals: ignoreSignals },
  ({ signalMask }) => signalMask && { op: 'signalMask', signals: signalMask },
  ({ cwd }) => (cwd === undefined ? undefined : { op: 'chdir', path: cwd }),
]

/** Refuses a wrong type, a value that the option does not allow, and an unknown option. Each option is read once. */
export function checkLaunchOptions(value: unknown): CheckedOptions {
  const options: { [Name in OptionName]?: unknown } = checkOptions(value, 'options', optionNames)
  for (const name in options) {
    const setting = options[name as OptionName]
    if (setting !== undefined) options[name as OptionName] = checks[name as OptionName](setting, `options.${name}`)
  }
  return options as CheckedOptions
}

/** The child's actions for the options, in order. */
export function optionActions(options: CheckedOptions): ChildAction[] {
  return childOptions.map(actionOf => actionOf(options)).filter(action => action !== undefined)
}

/** argv: `argv0` or the file, then the arguments, each read once. */
export function checkArguments(file: string, args: unknown, argv0 = file): string[] {
  const list = checkList(
    args,
    () => 'args',
    (arg, name) => (isPlain(arg) ? arg : checkString(arg, name())),
  )
  list.unshift(argv0)
  return list
}

function isPlain(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0')
}

/** The program's name or path. */
export function checkFile(value: unknown): string {
  const file = checkString(value, 'file')
  if (file === '') throw invalidValue('file', 'must not be empty', file)
  return file
}

/** A path, or that of a file: URL. @throws TypeError ERR_INVALID_URL_SCHEME for another URL. */
function checkDirectory(value: unknown, name: string): string {
  if (typeof value === 'string') return checkString(value, name)
  // Not instanceof: a URL may come from another realm.
  const href = typeof value === 'object' && value !== null && 'href' in value ? value.href : undefined
  if (typeof href !== 'string') throw invalidType(name, 'of type string or an instance of URL', value)
  return checkString(fileURLToPath(href), name)
}

function checkSignals(...refused: readonly number[]): Check<number[]> {
  return (value, name) =>
    checkList(
      value,
      () => name,
      (item, at) => {
        const signal = checkSignalOfSet(item, at)
        if (refused.includes(signal)) throw invalidValue(at(), 'must be a signal that can be ignored', item)
        return signal
      },
    )
}

function checkHook(value: unknown, name: string): NonNullable<LaunchOptions['beforeExec']> {
  return checkFunction(value, name) as NonNullable<LaunchOptions['beforeExec']>
}

function checkOneOf<const Allowed extends readonly unknown[]>(...allowed: Allowed): Check<Allowed[number]> {
  const shown = allowed.map(each => (typeof each === 'string' ? `'${each}'` : String(each))).join(', ')
  return (value, name) => {
    if (!allowed.includes(value)) throw invalidValue(name, `must be one of ${shown}`, value)
    return value as Allowed[number]
  }
}
