/** The plan of a launch: every option read once, and checked before anything happens. */

import { openSystem } from '../../open-system.ts'
import type { NamespaceName } from '../../system/namespaces.ts'
import { privateCallsOf } from '../../system/private-calls.ts'
import type { Signal } from '../../system/signals.ts'
import type { System } from '../../system/system.ts'
import { type ReadyConvention, requireConvention } from '../readiness/notifications.ts'
import { checkStdio, requireEndsOf, type Wanted } from '../stdio/stdio-entries.ts'
import type { Follow } from '../tracing/tasks/options.ts'
import { ownEnvironment } from './environment.ts'
import type { IdMaps } from './id-maps.ts'
import { checkCombination, clonedNamespaces, memoryOf, type OptionActions, optionActions } from './option-actions.ts'
import { checkLaunchOptions, type LaunchOptions, type TraceMode } from './options.ts'
import { searchPath } from './path-search.ts'
import { checkArguments, checkFile } from './program-arguments.ts'

export interface LaunchPlan {
  readonly system: System
  readonly file: string
  /** The candidate paths of the program, in the order to try. */
  readonly files: readonly string[]
  readonly argv: readonly string[]
  /** 'KEY=value' for each variable. */
  readonly env: readonly string[]
  readonly cwd: string | undefined
  readonly stdio: readonly Wanted[]
  /** Descriptors of this process that the child keeps at the same numbers. */
  readonly inheritedFds: readonly number[]
  readonly trace: TraceMode
  /** Whether a child that the kernel does not let this process seize is traced by 'traceme' instead. */
  readonly mayFallBack: boolean
  readonly follow: Follow
  readonly exitKill: boolean
  readonly beforeExec: LaunchOptions['beforeExec']
  /** Whether the child waits at a gate: for beforeExec, or to be seized. */
  readonly hasGate: boolean
  /**
   * Whether the child notifies, and reports what fails, through a channel. A child that shares the memory and is traced
   * without a gate needs none: its stop is the notification, and its record stays in the memory.
   */
  readonly hasChannel: boolean
  readonly memory: 'shared' | 'copied'
  readonly ready: ReadyConvention | undefined
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number | undefined
  /** The child's actions for the options. */
  readonly optionActions: OptionActions
  /** The namespaces that clone(2) makes for the child. */
  readonly namespaces: readonly NamespaceName[]
  /** What this process writes to /proc/PID/uid_map and gid_map of a child in a user namespace of its own. */
  readonly idMaps: IdMaps | undefined
  readonly parentDeathSignal: Signal | 0
  /** The child's terminal, a descriptor of this process. */
  readonly controllingTerminal: number | undefined
  /** The process group that takes the terminal of this process's session; 0: the child's own. */
  readonly foregroundGroup: number | undefined
  /** Whether the child has another root directory than this process. */
  readonly hasOtherRoot: boolean
}

/** Checks all arguments of launch(). Throws a TypeError or RangeError with Node's codes. */
export function planLaunch(file: unknown, args: unknown, options: unknown): LaunchPlan {
  const checked = checkLaunchOptions(options)
  const { follow = false, exitKill = true, beforeExec, cwd, ready, signal, timeoutMs, argv0 } = checked
  const trace = checked.trace ?? (follow === false ? 'traceme' : 'seize')
  const program = checkFile(file)
  const argv = checkArguments(program, args, argv0)
  const { wanted: stdio, inheritedFds } = checked.stdio ?? checkStdio('pipe')
  const system = checked.system ?? openSystem()
  const env = checked.env ?? ownEnvironment()
  const files = searchPath(program, env.path, env.pathName)
  requireEndsOf(system, stdio)
  if (ready !== undefined) requireConvention(system, ready)
  checkCombination(system, checked)
  const { uidMap, gidMap, parentDeathSignal = 0, controllingTerminal, chroot } = checked
  const { foreground, detached, processGroup } = checked
  const actions = optionActions(checked)
  const memory = memoryOf(checked, actions)
  const namespaces = clonedNamespaces(checked)
  const idMaps = uidMap === undefined && gidMap === undefined ? undefined : { uidMap, gidMap }
  const hasGate = beforeExec !== undefined || trace === 'seize'
  const isPlain = trace === 'traceme' && !hasGate && idMaps === undefined && namespaces.length === 0
  const sharesSession = detached !== true && controllingTerminal === undefined
  return {
    file: program,
    files,
    argv,
    env: env.entries,
    cwd,
    stdio,
    inheritedFds,
    trace,
    mayFallBack: checked.trace === undefined && trace === 'seize',
    follow,
    exitKill,
    beforeExec,
    hasGate,
    hasChannel: !isPlain || memory === 'copied' || privateCallsOf(system) === undefined,
    memory,
    ready,
    signal,
    timeoutMs,
    optionActions: actions,
    namespaces,
    idMaps,
    parentDeathSignal,
    controllingTerminal,
    foregroundGroup: foreground === true && sharesSession ? (processGroup ?? 0) : undefined,
    hasOtherRoot: chroot !== undefined,
    system,
  }
}
