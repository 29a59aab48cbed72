/** What launch() takes: the type, the check of every option by name, and the table of those that are an action of the child. */

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

/** How the child is traced: by its own PTRACE_TRACEME, by PTRACE_SEIZE (interrupt() and group stops without side effects), or not. */
export type TraceMode = 'traceme' | 'seize' | false

/** Options of launch(). An option that is not listed here is refused by name. */
export interface LaunchOptions {
  /** Where to launch; openSystem() by default. */
  readonly system?: System | undefined
  /** The child's working directory: a path, or a file: URL. */
  readonly cwd?: string | URL | undefined
  /** The child's environment; process.env, as it is at the call, by default. As in child_process, undefined values are left out. */
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
  /** The signals that the program starts with blocked; none by default, whatever this process blocks. */
  readonly signalMask?: readonly Signal[] | undefined
  /** The signals that the program starts with ignored, as nohup(1) ignores SIGHUP; none by default, whatever this process ignores. */
  readonly ignoreSignals?: readonly Signal[] | undefined
  /** 'shared': the parent's memory until exec, however large that is; 'copied': a plain fork; 'auto' (the default) picks. */
  readonly memory?: 'shared' | 'copied' | 'auto' | undefined
}

type Check<Value> = (value: unknown, name: string) => Value

/** Each option's check, which gives the value to use. */
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
  // SIGKILL and SIGSTOP cannot be.
  ignoreSignals: checkSignals(9, 19),
  memory: checkOneOf('shared', 'copied', 'auto'),
} satisfies { readonly [Name in keyof LaunchOptions]-?: Check<unknown> }

type OptionName = keyof typeof checks

const optionNames = Object.keys(checks) as OptionName[]

/** The options that were given, as their checks gave them back. */
export type CheckedOptions = { readonly [Name in OptionName]?: ReturnType<(typeof checks)[Name]> }

/**
 * The options that are actions of the child, in the order in which it carries them out, between its descriptors and its gate.
 * A new one is a row here, its check above and, where the interpreters do not know it yet, an action.
 */
const childOptions: readonly ((options: CheckedOptions) => ChildAction | undefined)[] = [
  ({ detached }) => (detached === true ? { op: 'setsid' } : undefined),
  ({ ignoreSignals }) => ignoreSignals && { op: 'ignoreSignals', signals: ignoreSignals },
  ({ signalMask }) => signalMask && { op: 'signalMask', signals: signalMask },
  ({ cwd }) => (cwd === undefined ? undefined : { op: 'chdir', path: cwd }),
]

/** Refuses a wrong type, a value that is none of an option's, and an option that launch() does not know. Each is read once. */
export function checkLaunchOptions(value: unknown): CheckedOptions {
  const options: { [Name in OptionName]?: unknown } = checkOptions(value, 'options', optionNames)
  for (const name in options) {
    const setting = options[name as OptionName]
    if (setting !== undefined) options[name as OptionName] = checks[name as OptionName](setting, `options.${name}`)
  }
  return options as CheckedOptions
}

/** What the options ask of the child, in its order. */
export function optionActions(options: CheckedOptions): ChildAction[] {
  return childOptions.map(actionOf => actionOf(options)).filter(action => action !== undefined)
}

/** argv: `argv0`, or the file, and the arguments, each read once. */
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

/** A path, or a file: URL as one. @throws TypeError ERR_INVALID_URL_SCHEME for another URL. */
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
