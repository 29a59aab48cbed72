/** What a launch is to do, all of it checked before anything happens. */

import { openSystem } from '../open-system.ts'
import type { ChildAction } from '../system/child-program.ts'
import type { System } from '../system/system.ts'
import { checkArguments, checkEnvironment, checkLaunchOptions, type LaunchOptions, type TraceMode } from './options.ts'
import { searchPath } from './path-search.ts'
import { checkStdio, type Wanted } from './stdio.ts'

export interface LaunchPlan {
  readonly system: System
  readonly file: string
  /** Where the program may be, in the order to try. */
  readonly files: readonly string[]
  readonly argv: readonly string[]
  /** Undefined: this process's own. */
  readonly env: readonly string[] | undefined
  readonly stdio: readonly Wanted[]
  readonly trace: TraceMode
  readonly exitKill: boolean
  readonly beforeExec: LaunchOptions['beforeExec']
  /** Whether the child waits at a gate: for beforeExec, or to be seized. */
  readonly hasGate: boolean
  readonly memory: 'shared' | 'copied'
  /** What the options ask of the child. */
  readonly optionActions: readonly ChildAction[]
}

/** Checks everything that launch() was given. Throws a TypeError or RangeError with Node's codes. */
export function planLaunch(file: string, args: readonly string[], options: LaunchOptions): LaunchPlan {
  const optionActions = checkLaunchOptions(options)
  const argv = checkArguments(file, args, options)
  const { env, stdio = 'pipe', trace = 'traceme', exitKill = true, beforeExec, memory } = options
  return {
    file,
    files: searchPath(file, env ?? process.env),
    argv,
    env: env && checkEnvironment(env),
    stdio: checkStdio(stdio),
    trace,
    exitKill,
    beforeExec,
    hasGate: beforeExec !== undefined || trace === 'seize',
    memory: memory === 'copied' ? 'copied' : 'shared',
    optionActions,
    system: options.system ?? openSystem(),
  }
}
