/** Random sets of options: the program sees from inside what was asked for; a set with a wrong one is undone. */

import { readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { launch } from '../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../lib/launch/options.ts'
import type { NamespaceName } from '../../lib/system/namespaces.ts'
import { type ResourceName, resourceNumbers } from '../../lib/system/resources.ts'
import { signalNumber } from '../../lib/system/signals.ts'
import { hasCapability } from './support/capabilities.ts'
import { whyNoCompiler } from './support/compile.ts'
import { compileInside, type Inside, lookInside } from './support/look-inside.ts'
import { describeNative } from './support/native.ts'
import { allow, failWith, filterOf } from './support/seccomp.ts'
import { whyNoUserNamespace } from './support/user-namespace.ts'

const title = `random options${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`
const runs = 80
const ownScore = Number(readFileSync('/proc/self/oom_score_adj', 'latin1'))
const noRandomize = 0x40000
const mayChangeUser = hasCapability('CAP_SETUID') && hasCapability('CAP_SETGID')

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

const settings = fc.record(
  {
    trace: fc.constantFrom('traceme' as const, 'seize' as const, false as const),
    memory: fc.constantFrom('auto' as const, 'copied' as const),
    beforeExec: fc.oneof(
      always,
      fc.constant(() => {}),
    ),
    detached: fc.boolean(),
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

/** A set of options. The nice value and the score of a user namespace's root are an ordinary user's. */
const options: fc.Arbitrary<LaunchOptions> = fc
  .tuple(settings, identity)
  .map(([some, others]) => ({ ...some, ...others }) as LaunchOptions)

const three = (value: number) => [value, value, value]
const numbersOf = (list: readonly (string | number)[]) =>
  list.map(each => (typeof each === 'number' ? each : signalNumber(each)!)).sort((a, b) => a - b)

/** What the program is to see, of those fields that the options determine. */
function expectedOf(asked: LaunchOptions, before: Inside): Partial<Inside> {
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
    cwd: asked.cwd === undefined ? process.cwd() : String(asked.cwd),
  }
}

function ascending(a: number, b: number): number {
  return a - b
}

/** A wrong option, which a launch comes to after every option before it. */
const wrong: readonly (readonly [step: string, options: LaunchOptions])[] = [
  ['cgroup', { cgroup: '/no/such/cgroup' }],
  ['controllingTerminal', { controllingTerminal: 1_000_000 }],
  ['rlimits', { rlimits: { nofile: 2 ** 40 } }],
  ['affinity', { affinity: [8191] }],
  ['chdir', { cwd: '/no/such/folder' }],
  ['seccomp', { seccomp: new Uint8Array(8) }],
]

describeNative(title, system => {
  if (whyNoCompiler !== undefined) return it.skip('are drawn', () => {})
  const program = compileInside()

  it('are what the program sees', { timeout: 240_000 }, async () => {
    const before = await lookInside(program, { trace: false })
    await fc.assert(
      fc.asyncProperty(options, async asked => {
        const inside = await lookInside(program, { ...asked, system })
        inside.groups.sort(ascending)
        expect(inside).toMatchObject(expectedOf(asked, before))
        expect(Object.keys(inside.descriptors)).toEqual(['0', '1', '2'])
        for (const [name, link] of Object.entries(inside.namespaces)) {
          const isNew = asked.namespaces?.includes(name as NamespaceName) === true
          expect(link !== before.namespaces[name], name).toBe(isNew)
        }
      }),
      { numRuns: runs },
    )
  })

  it('with a wrong one among them are undone, and the error names its step', { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(options, fc.constantFrom(...wrong), async (asked, [step, fault]) => {
        await expect(launch(program, [], { ...asked, ...fault, system })).rejects.toMatchObject({ step })
      }),
      { numRuns: runs },
    )
  })
})
