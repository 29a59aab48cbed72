/** Random sets of options: the program sees from inside what was asked for; a set with a wrong one is undone. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync, constants, copyFileSync, mkdirSync, openSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'
import type { NamespaceName } from '../../../lib/system/namespaces.ts'
import { ownSettings } from '../../support/own-settings.ts'
import { childrenOfThisProcess, openDescriptors } from '../../support/process-table.ts'
import { isLong, rounds } from '../../support/rounds.ts'
import { seedOf } from '../../support/seed.ts'
import { hasCapability } from '../support/capabilities.ts'
import { makeCgroups } from '../support/cgroups.ts'
import { temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { compileInside, type Inside, lookInside } from '../support/look-inside.ts'
import { describeNative } from '../support/native.ts'
import { asNobody, whyNoOrdinaryUser } from '../support/node.ts'
import { until } from '../support/processes.ts'
import { type Asked, belongingOf, expectedOf, randomOptions } from '../support/random-options.ts'

const cgroups = makeCgroups()
const obstacle = whyNoCompiler ?? (cgroups.length === 0 ? 'no cgroup can be made, and so none is drawn' : undefined)
const title = `random options${obstacle === undefined ? '' : ` [skipped: ${obstacle}]`}`
const runs = rounds(40, 200)
const options = randomOptions(cgroups)

const uid = process.getuid!()
const gid = process.getgid!()
const noIdentity = { uid: undefined, gid: undefined, groups: undefined }
const mapped = { namespaces: ['user'], uidMap: [[0, uid, 1]], gidMap: [[0, gid, 1]], ...noIdentity } as const
const twice = (id: number) => [0, 1].map(() => [0, id, 1] as const)
const noSession = { detached: undefined, controllingTerminal: undefined, foreground: undefined }

/** Wrong options, each of which a launch comes to after every option before it. */
const wrong: readonly (readonly [step: string, options: LaunchOptions])[] = [
  ['cgroup', { cgroup: '/no/such/cgroup' }],
  ['processGroup', { ...noSession, processGroup: 0x7fffffff }],
  ['controllingTerminal', { processGroup: undefined, controllingTerminal: 1_000_000 }],
  ['foreground', { ...noSession, detached: true, processGroup: undefined, foreground: true }],
  ...(hasCapability('CAP_SYS_RESOURCE') ? [] : [['oomScoreAdj', { oomScoreAdj: -1000 }] as const]),
  ['rlimits', { rlimits: { nofile: 2 ** 40 } }],
  ['affinity', { affinity: [8191] }],
  ['uidMap', { ...mapped, uidMap: twice(uid) }],
  ['gidMap', { ...mapped, gidMap: twice(gid) }],
  ['chroot', { chroot: '/no/such/folder' }],
  ['groups', { ...mapped, groups: [1] }],
  ['gid', { ...mapped, gid: 1 }],
  ['uid', { ...mapped, uid: 1 }],
  ['chdir', { cwd: '/no/such/folder' }],
  ['seccomp', { seccomp: new Uint8Array(8) }],
]

/** What this process has: its settings, its children, its descriptors but the event loop's own. */
function own() {
  const descriptors = [...openDescriptors()].filter(([, target]) => !target.startsWith('anon_inode:'))
  return { settings: [...ownSettings()], children: [...childrenOfThisProcess().keys()], descriptors }
}

describeNative(title, system => {
  if (whyNoCompiler !== undefined) return it.skip('are drawn', () => {})
  const program = compileInside()
  const root = temporaryFolder()
  copyFileSync(compileInside(['-static']), join(root, 'inside'))
  mkdirSync(join(root, 'usr'))
  chmodSync(root, 0o755)

  /** Makes what the options need, and passes all to `use`. Then this process has and is what it was before. */
  async function withAll(asked: Asked, use: (file: string, args: string[], options: LaunchOptions) => Promise<void>) {
    const before = own()
    const proc = openSync('/proc', constants.O_RDONLY | constants.O_DIRECTORY)
    const terminal = asked.terminal === 'none' ? undefined : system.openpty()
    try {
      const isNamed = asked.terminal === 'named'
      await use(asked.isRooted ? '/inside' : program, ['--proc-at', '3', ...(isNamed ? ['--terminal-at', '4'] : [])], {
        ...asked.options,
        stdio: ['pipe', 'pipe', 'pipe', proc, ...(isNamed ? [terminal![1]] : [])],
        ...(terminal !== undefined && { controllingTerminal: terminal[1] }),
        ...(asked.cgroup !== undefined && { cgroup: asked.cgroup.path }),
        ...(asked.isRooted && { chroot: root }),
        system,
      })
    } finally {
      for (const fd of [proc, ...(terminal ?? [])]) closeSync(fd)
    }
    expect(own().children).toEqual(before.children)
    await until('streams are closed', () => own().descriptors.length <= before.descriptors.length)
    expect(own()).toEqual(before)
  }

  it('are what the program sees, and leave this process as it was', { timeout: 240_000 }, async () => {
    const before = await lookInside(program, { trace: false })
    await fc.assert(
      fc.asyncProperty(options, asked =>
        withAll(asked, async (file, args, all) => {
          const inside = await lookInside(file, all, args)
          inside.groups.sort((a, b) => a - b)
          expect(inside).toMatchObject(expectedOf(asked, root, before))
          const { terminalGroup, ...others } = belongingOf(asked, inside.pid, before)
          expect(inside).toMatchObject(others)
          // /dev/tty is not below that root.
          const isSeen = !asked.isRooted || asked.terminal === 'named'
          expect(inside.terminalGroup).toBe(isSeen ? terminalGroup : -1)
          expect(Object.keys(inside.descriptors)).toEqual([
            '0',
            '1',
            '2',
            '3',
            ...(asked.terminal === 'named' ? ['4'] : []),
          ])
          expectNamespaces(inside, asked, before)
          expectCgroup(inside, asked, before)
        }),
      ),
      { numRuns: runs, seed: seedOf('options') },
    )
  })

  it('with a wrong one among them are undone, and the error names its step', { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(options, fc.constantFrom(...wrong), (asked, [step, fault]) =>
        withAll(asked, async (file, args, all) => {
          await expect(launch(file, args, { ...all, ...fault })).rejects.toMatchObject({ step })
        }),
      ),
      { numRuns: 2 * runs, seed: seedOf('a wrong option') },
    )
  })

  it('with a program that there is none of are undone', { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(options, asked =>
        withAll(asked, async (_, args, all) => {
          await expect(launch('/no/such/program', args, all)).rejects.toMatchObject({ step: 'execve', code: 'ENOENT' })
        }),
      ),
      { numRuns: runs / 2, seed: seedOf('no program') },
    )
  })

  // Only an ordinary user's files in /proc show that a process is not dumpable any more. It starts a Vitest of its own.
  it.runIf(isLong && asNobody !== undefined && whyNoOrdinaryUser === undefined)(
    'hold all that for an ordinary user, too',
    { timeout: 240_000 },
    async () => {
      const vitest = ['node_modules/vitest/vitest.mjs', 'run', 'test/launch/options/random-options.test.ts']
      const flags = ['--configLoader', 'runner', '--maxWorkers', '1', '--reporter', 'dot']
      const [command, ...args] = [...asNobody!, process.execPath, ...vitest, ...flags]
      const env = { ...process.env, HOME: tmpdir(), NO_COLOR: '1', FORCE_COLOR: undefined, CI: undefined }
      const child = spawn(command!, args, {
        cwd: fileURLToPath(new URL('../../..', import.meta.url)),
        env,
        stdio: 'pipe',
      })
      const [output] = await Promise.all([text(child.stdout), once(child, 'close')])
      expect(output).toMatch(/Tests {2}3 passed . 1 skipped/)
      expect(child.exitCode, output).toBe(0)
    },
  )
})

function expectNamespaces(inside: Inside, { options: { namespaces = [] } }: Asked, before: Inside): void {
  for (const [name, link] of Object.entries(inside.namespaces)) {
    expect(link !== before.namespaces[name], name).toBe(namespaces.includes(name as NamespaceName))
  }
}

function expectCgroup(inside: Inside, { cgroup, options: { namespaces = [] } }: Asked, before: Inside): void {
  const lines = inside.cgroups.split('\n')
  // A cgroup namespace begins at the cgroup of its first program.
  if (namespaces.includes('cgroup')) expect(lines.filter(line => !line.endsWith(':/'))).toEqual([])
  else if (cgroup === undefined) expect(inside.cgroups).toBe(before.cgroups)
  else expect(lines.filter(line => line.endsWith(cgroup.suffix))).toHaveLength(1)
}
