/** Random sets of the options of launch(), and what a program that is launched with them sees. */

import { readFileSync, statSync } from 'node:fs'
import { getPriority } from 'node:os'
import fc from 'fast-check'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'
import type { NamespaceName } from '../../../lib/system/namespaces.ts'
import { type ResourceName, resourceNumbers } from '../../../lib/system/resources.ts'
import { signalNumber } from '../../../lib/system/signals.ts'
import { hasCapability } from './capabilities.ts'
import type { Cgroup } from './cgroups.ts'
import type { Inside } from './look-inside.ts'
import { allow, failWith, filterOf } from './seccomp.ts'
import { whyNoUserNamespace } from './user-namespace.ts'

const ownScore = Number(readFileSync('/proc/self/oom_score_adj', 'latin1'))
const noRandomize = 0x40000
const mayChangeUser = hasCapability('CAP_SETUID') && hasCapability('CAP_SETGID')
const [, , ownGroup] = readFileSync('/proc/self/stat', 'latin1').split(') ').at(-1)!.split(' ').map(Number)

/** A set of options, and what a launch takes that is made for it alone. */
export interface Asked {
  readonly options: LaunchOptions
  /** Whether a terminal becomes its controlling one; 'named': the program gets a descriptor of it, too. */
  readonly terminal: 'none' | 'named' | 'unnamed'
  readonly cgroup: Cgroup | undefined
  readonly isRooted: boolean
}

const id = fc.integer({ min: 0, max: 0xfffffffe })
/** Numbers that no hard limit forbids. */
const limitable = ['nofile', 'cpu', 'fsize', 'locks', 'rttime'] as const
const limits = fc.dictionary(fc.constantFrom(...limitable), fc.integer({ min: 16, max: 1024 }), { maxKeys: 3 })
const signals = fc.uniqueArray(fc.constantFrom('SIGHUP', 'SIGINT', 'SIGUSR1', 'SIGRTMIN', 'SIGWINCH'), { maxLength: 3 })
const always = fc.constant(undefined)

/** Options of this process's own user. */
const ofUser = fc.record({ uid: id, gid: id, groups: fc.uniqueArray(id, { maxLength: 4 }) }, { requiredKeys: [] })

/** A user namespace, and others in it. */
const ofNamespaces = fc
  .uniqueArray(fc.constantFrom<NamespaceName>('pid', 'net', 'mnt', 'uts', 'ipc', 'cgroup'), { maxLength: 3 })
  .chain(names =>
    fc.record({
      namespaces: fc.constant<NamespaceName[]>(['user', ...names]),
      uidMap: id.map(inside => [[inside, process.getuid!(), 1]] as const),
      gidMap: id.map(inside => [[inside, process.getgid!(), 1]] as const),
    }),
  )

const identity: fc.Arbitrary<LaunchOptions> = fc.oneof(
  fc.constant({}),
  mayChangeUser ? ofUser : fc.constant({}),
  whyNoUserNamespace === undefined ? ofNamespaces : fc.constant({}),
)

/**
 * The session, the process group and the terminal. A leader of a session takes no other group, and a group of this
 * process's has no number in another pid namespace.
 */
const belonging = (isInPidNamespace: boolean): fc.Arbitrary<LaunchOptions & Partial<Pick<Asked, 'terminal'>>> =>
  fc.oneof(
    fc.record({ detached: fc.boolean(), processGroup: fc.constantFrom(undefined, 0) }),
    fc.record({ processGroup: isInPidNamespace ? fc.constant(0) : fc.constantFrom(0, ownGroup!) }),
    fc.record({
      terminal: fc.constantFrom('named' as const, 'unnamed' as const),
      detached: fc.boolean(),
      foreground: fc.boolean(),
    }),
  )

const settings = fc.record(
  {
    trace: fc.constantFrom('traceme' as const, 'seize' as const, false as const),
    memory: fc.constantFrom('auto' as const, 'copied' as const),
    beforeExec: fc.oneof(
      always,
      fc.constant(() => {}),
    ),
    umask: fc.integer({ min: 0, max: 0o777 }),
    rlimits: limits as fc.Arbitrary<{ [Name in ResourceName]?: number }>,
    // An ordinary user may raise them only.
    nice: fc.integer({ min: Math.max(0, getPriority()), max: 19 }),
    oomScoreAdj: fc.integer({ min: Math.max(0, ownScore), max: 1000 }),
    affinity: fc.constant([0]),
    aslr: fc.boolean(),
    noNewPrivileges: fc.constant(true),
    seccomp: fc.constantFrom(filterOf([], allow), filterOf(['mount', 'socket'], failWith(1))),
    parentDeathSignal: fc.constantFrom('SIGTERM' as const, 'SIGKILL' as const, 40),
    tracer: fc.constant('any' as const),
    signalMask: signals,
    ignoreSignals: signals,
    cwd: fc.constantFrom('/', '/usr'),
  },
  { requiredKeys: ['trace', 'noNewPrivileges'] },
)

/** Where a program is put: what must be made for it. A user namespace's root may change its root directory. */
const place = (cgroups: readonly Cgroup[], mayChangeRoot: boolean) =>
  fc.record({
    cgroup: fc.constantFrom<Cgroup | undefined>(undefined, ...cgroups),
    isRooted: mayChangeRoot ? fc.boolean() : fc.constant(false),
  })

/** Sets of options. The nice value and the score of a user namespace's root are an ordinary user's. */
export function randomOptions(cgroups: readonly Cgroup[]): fc.Arbitrary<Asked> {
  return identity.chain(user => {
    const isElsewhere = user.namespaces?.includes('pid') === true
    const mayChangeRoot = user.namespaces !== undefined || hasCapability('CAP_SYS_CHROOT')
    return fc
      .tuple(settings, belonging(isElsewhere), place(cgroups, mayChangeRoot))
      .map(([some, { terminal = 'none', ...session }, made]) => {
        const options = { ...some, ...user, ...session } as LaunchOptions
        return { options, terminal, ...made }
      })
  })
}

const three = (value: number) => [value, value, value]
const numbersOf = (list: readonly (string | number)[]) =>
  list.map(each => (typeof each === 'number' ? each : signalNumber(each)!)).sort((a, b) => a - b)

/** What the program is to see, of those fields that the options determine. */
export function expectedOf({ options: asked, ...made }: Asked, root: string, before: Inside): Partial<Inside> {
  const { uidMap, gidMap, namespaces = [] } = asked
  const uid = asked.uid ?? uidMap?.[0]?.[0] ?? before.uids[0]
  const gid = asked.gid ?? gidMap?.[0]?.[0] ?? before.gids[0]
  const isOther = asked.uid !== undefined || asked.gid !== undefined
  const limited = before.limits.map((limit, number) => {
    const name = (Object.keys(resourceNumbers) as ResourceName[]).find(each => resourceNumbers[each] === number)!
    const wanted = asked.rlimits?.[name] as number | undefined
    return wanted === undefined ? limit : [wanted, wanted]
  }) as Inside['limits']
  return {
    umask: asked.umask ?? before.umask,
    uids: three(uid) as Inside['uids'],
    gids: three(gid) as Inside['gids'],
    ...(namespaces.length === 0 && { groups: [...(asked.groups ?? (isOther ? [] : before.groups))].sort(ascending) }),
    limits: limited,
    nice: asked.nice ?? before.nice,
    oomScoreAdj: String(asked.oomScoreAdj ?? before.oomScoreAdj),
    cpus: (asked.affinity as number[] | undefined) ?? before.cpus,
    personality:
      asked.aslr === undefined
        ? before.personality
        : asked.aslr
          ? before.personality & ~noRandomize
          : before.personality | noRandomize,
    noNewPrivileges: 1,
    seccomp: asked.seccomp === undefined ? before.seccomp : 2,
    parentDeathSignal: asked.parentDeathSignal === undefined ? 0 : numbersOf([asked.parentDeathSignal])[0]!,
    blocked: numbersOf(asked.signalMask ?? []),
    notDefault: numbersOf(asked.ignoreSignals ?? []),
    cwd: asked.cwd === undefined ? (made.isRooted ? '/' : process.cwd()) : String(asked.cwd),
    root: made.isRooted ? rootOf(root) : before.root,
  }
}

/**
 * The session, the group and the group that has the terminal, as the program of this pid sees them. Those of this
 * process have no number in another pid namespace.
 */
export function belongingOf({ options, terminal }: Asked, pid: number, before: Inside): Partial<Inside> {
  const isElsewhere = options.namespaces?.includes('pid') === true
  const leads = options.detached === true || terminal !== 'none'
  const session = leads ? pid : isElsewhere ? 0 : before.session
  const group = leads || options.processGroup === 0 ? pid : isElsewhere ? 0 : before.group
  if (terminal !== 'none') return { session, group, terminalGroup: pid }
  const inherited = isElsewhere && before.terminalGroup > 0 ? 0 : before.terminalGroup
  return { session, group, terminalGroup: leads ? -1 : inherited }
}

/** A directory as the program reports its root. */
function rootOf(path: string): string {
  const { dev, ino } = statSync(path)
  return `${dev}:${ino}`
}

function ascending(a: number, b: number): number {
  return a - b
}
