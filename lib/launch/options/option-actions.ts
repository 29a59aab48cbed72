/**
 * The options of launch() that the child carries out: their actions, in order, and the combinations that are refused.
 */

import { invalidValue } from '../../system/arguments.ts'
import { needsCopiedMemory } from '../../system/check-child-program.ts'
import type { ChildAction } from '../../system/child-program.ts'
import type { NamespaceName } from '../../system/namespaces.ts'
import type { System } from '../../system/system.ts'
import type { CheckedOptions } from './options.ts'

/** The child's actions for the options. */
export interface OptionActions {
  /** Run while the child's descriptors still have this process's numbers. */
  readonly session: readonly ChildAction[]
  /** Run with this process's rights. */
  readonly settings: readonly ChildAction[]
  /** Take the child to the rights of another user. */
  readonly identity: readonly ChildAction[]
  /** Run with the rights of the program, before the gate. */
  readonly program: readonly ChildAction[]
  /** Run right before the exec. */
  readonly last: readonly ChildAction[]
}

type Stage = keyof OptionActions
type ActionOf = (options: CheckedOptions) => ChildAction | readonly ChildAction[] | undefined

/**
 * The actions of each option, in order. A new option is a row here, its check in options.ts and, where the interpreters
 * lack it, an action.
 */
const rows: readonly (readonly [stage: Stage, option: keyof CheckedOptions, actionOf: ActionOf])[] = [
  ['session', 'cgroup', ({ cgroup }) => (cgroup === undefined ? undefined : { op: 'cgroup', path: cgroup })],
  ['session', 'detached', options => (leadsSession(options) ? { op: 'setsid' } : undefined)],
  ['session', 'processGroup', options => processGroupOf(options)],
  [
    'session',
    'controllingTerminal',
    ({ controllingTerminal: fd }) => (fd === undefined ? undefined : { op: 'controllingTerminal', fd }),
  ],
  ['session', 'foreground', ({ foreground }) => (foreground === true ? { op: 'foreground' } : undefined)],
  [
    'settings',
    'oomScoreAdj',
    ({ oomScoreAdj: score }) => (score === undefined ? undefined : { op: 'oomScoreAdj', score }),
  ],
  ['settings', 'nice', ({ nice }) => (nice === undefined ? undefined : { op: 'nice', nice })],
  ['settings', 'rlimits', ({ rlimits = [] }) => rlimits.map(limit => ({ op: 'rlimits', ...limit }))],
  ['settings', 'affinity', ({ affinity: cpus }) => cpus && { op: 'affinity', cpus }],
  ['settings', 'umask', ({ umask: mask }) => (mask === undefined ? undefined : { op: 'umask', mask })],
  ['settings', 'aslr', ({ aslr: on }) => (on === undefined ? undefined : { op: 'aslr', on })],
  ['identity', 'namespaces', options => unshared(options)],
  ['identity', 'chroot', ({ chroot }) => (chroot === undefined ? undefined : { op: 'chroot', path: chroot })],
  ['identity', 'groups', options => groupsOf(options)],
  ['identity', 'gid', ({ gid }) => (gid === undefined ? undefined : { op: 'gid', gid })],
  ['identity', 'uid', ({ uid }) => (uid === undefined ? undefined : { op: 'uid', uid })],
  ['program', 'ignoreSignals', ({ ignoreSignals: signals }) => signals && { op: 'ignoreSignals', signals }],
  ['program', 'signalMask', ({ signalMask: signals }) => signals && { op: 'signalMask', signals }],
  ['program', 'cwd', ({ cwd }) => (cwd === undefined ? undefined : { op: 'chdir', path: cwd })],
  ['program', 'tracer', ({ tracer: pid }) => (pid === undefined ? undefined : { op: 'tracer', pid })],
  [
    'last',
    'noNewPrivileges',
    ({ noNewPrivileges }) => (noNewPrivileges === true ? { op: 'noNewPrivileges' } : undefined),
  ],
  ['last', 'seccomp', ({ seccomp: filter }) => filter && { op: 'seccomp', filter }],
]

/** A launch without any of the options that have rows costs nothing for them. */
const optionsWithActions: ReadonlySet<string> = new Set(rows.map(([, option]) => option))

const noActions: OptionActions = { session: [], settings: [], identity: [], program: [], last: [] }

/** The child's actions for the options. */
export function optionActions(options: CheckedOptions): OptionActions {
  for (const name in options) if (optionsWithActions.has(name)) return actionsOf(options)
  return noActions
}

function actionsOf(options: CheckedOptions): OptionActions {
  const actions: Record<Stage, ChildAction[]> = { session: [], settings: [], identity: [], program: [], last: [] }
  for (const [stage, , actionOf] of rows) {
    const made = actionOf(options)
    if (made !== undefined) actions[stage].push(...(Array.isArray(made) ? made : [made]))
  }
  return actions
}

/**
 * The namespaces that clone(2) makes. A user namespace comes first, since it owns the others. Only a new process enters
 * a pid namespace: the child's own unshare(2) would be too late.
 */
export function clonedNamespaces({ namespaces }: CheckedOptions): readonly NamespaceName[] {
  return namespaces?.filter(isCloned) ?? none
}

const none: readonly NamespaceName[] = []

function isCloned(name: NamespaceName): boolean {
  return name === 'user' || name === 'pid'
}

function unshared({ namespaces }: CheckedOptions): ChildAction | undefined {
  const others = namespaces?.filter(name => !isCloned(name)) ?? none
  return others.length === 0 ? undefined : { op: 'namespaces', namespaces: others }
}

function leadsSession({ detached, controllingTerminal }: CheckedOptions): boolean {
  return detached === true || controllingTerminal !== undefined
}

/** The leader of a session is the leader of a process group as well, and may not leave it. */
function processGroupOf(options: CheckedOptions): ChildAction | undefined {
  if (leadsSession(options)) return undefined
  const { processGroup: group = options.foreground === true ? 0 : undefined } = options
  return group === undefined ? undefined : { op: 'processGroup', group }
}

/** As in child_process: a change of user or group drops the supplementary groups, where that is allowed. */
function groupsOf({ groups, uid, gid }: CheckedOptions): ChildAction | undefined {
  if (groups !== undefined) return { op: 'groups', groups }
  return uid === undefined && gid === undefined ? undefined : { op: 'groups', groups: [], optional: true }
}

/** 'auto' memory is shared unless an action would change the parent's. @throws TypeError for 'shared' in that case */
export function memoryOf({ memory = 'auto' }: CheckedOptions, actions: OptionActions): 'shared' | 'copied' {
  if (memory === 'copied') return memory
  if (actions === noActions) return 'shared'
  // An action that needs copied memory has the name of its option.
  const alone = Object.values(actions)
    .flat()
    .find(({ op }) => needsCopiedMemory(op))
  if (alone === undefined) return 'shared'
  if (memory === 'auto') return 'copied'
  throw invalidValue('options.memory', `must be 'copied' or 'auto' with options.${alone.op}`, memory)
}

/** Options for what simulated processes lack: users, terminals, cgroups, namespaces, filters. */
const notSimulated = [
  'controllingTerminal',
  'foreground',
  'uid',
  'gid',
  'groups',
  'seccomp',
  'cgroup',
  'namespaces',
  'chroot',
] as const

/** Refuses options that exclude each other, and those that the System cannot carry out. */
export function checkCombination(system: System, options: CheckedOptions): void {
  const { processGroup = 0, namespaces = none, trace, follow = false } = options
  if (trace === false && follow !== false) {
    throw invalidValue('options.follow', 'must be false or left out where options.trace is false', follow)
  }
  if (leadsSession(options) && processGroup !== 0) {
    const leader = options.detached === true ? 'detached' : 'controllingTerminal'
    throw invalidValue('options.processGroup', `must be 0 or left out with options.${leader}`, processGroup)
  }
  for (const name of ['uidMap', 'gidMap'] as const) {
    if (options[name] === undefined || namespaces.includes('user')) continue
    throw invalidValue(`options.${name}`, "needs 'user' among options.namespaces", namespaces.join(', ') || 'none')
  }
  if (options.ready === 'sd_notify' && namespaces.includes('net')) {
    const why = "must be 'notification-fd' with a 'net' namespace, which hides the socket of sd_notify"
    throw invalidValue('options.ready', why, options.ready)
  }
  if (system.kind !== 'simulated') return
  const unknown = notSimulated.find(name => options[name] !== undefined && options[name] !== false)
  if (unknown !== undefined) throw invalidValue(`options.${unknown}`, 'is not simulated: it needs the native System')
}
