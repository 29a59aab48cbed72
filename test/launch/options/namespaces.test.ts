/** Namespaces and roots of launched programs. */

import { copyFileSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'
import type { NamespaceName } from '../../../lib/system/namespaces.ts'
import { hasCapability } from '../support/capabilities.ts'
import { temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { compileInside, lookInside } from '../support/look-inside.ts'
import { modes, optionsOf } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { asNobody, runNode, whyNoOrdinaryUser } from '../support/node.ts'
import { whyNoUserNamespace } from '../support/user-namespace.ts'

const obstacle = whyNoCompiler ?? whyNoUserNamespace
const title = `a launched program${obstacle === undefined ? '' : ` [skipped: ${obstacle}]`}`
const others: readonly NamespaceName[] = ['net', 'mnt', 'uts', 'ipc', 'cgroup']
const uid = process.getuid!()
const gid = process.getgid!()
const own = { uidMap: [[0, uid, 1]], gidMap: [[0, gid, 1]] } as const
const spaces = (text: string) => text.trim().split(/\s+/).map(Number)

describeNative(title, () => {
  if (obstacle !== undefined) return it.skip('looks at itself', () => {})
  const program = compileInside()

  it.each(modes)('is in the namespaces that are asked for, and in those only ($name)', async mode => {
    const before = (await lookInside(program, { trace: false })).namespaces
    for (const added of [[], ['pid'], others, ['pid', ...others]] as NamespaceName[][]) {
      const namespaces: NamespaceName[] = ['user', ...added]
      const inside = await lookInside(program, { ...optionsOf(mode), namespaces, ...own })
      for (const [name, link] of Object.entries(inside.namespaces)) {
        expect(link !== before[name], name).toBe(namespaces.includes(name as NamespaceName))
      }
      expect([inside.uids, inside.gids]).toEqual([
        [0, 0, 0],
        [0, 0, 0],
      ])
      expect([spaces(inside.uidMap), spaces(inside.gidMap)]).toEqual([own.uidMap[0], own.gidMap[0]])
      expect(inside.parentDeathSignal).toBe(0)
    }
  })

  it.each(modes)('is process 1 of its own pid namespace, whose parent is not seen ($name)', async mode => {
    for (const beforeExec of [undefined, () => {}]) {
      const inside = await lookInside(program, { ...optionsOf(mode), namespaces: ['user', 'pid'], beforeExec })
      expect([inside.pid, inside.parent]).toEqual([1, 0])
    }
  })

  it('without maps has no ids of its own', async () => {
    const inside = await lookInside(program, { namespaces: ['user'] })
    expect([inside.uids[0], inside.gids[0], inside.uidMap]).toEqual([65_534, 65_534, ''])
  })

  it('may become another user that its namespace has', async () => {
    const namespaces: NamespaceName[] = ['user', 'pid']
    const maps = { uidMap: [[1000, uid, 1]], gidMap: [[1000, gid, 1]] } as const
    for (const trace of ['traceme', 'seize', false] as const) {
      const inside = await lookInside(program, { trace, namespaces, ...maps, uid: 1000, gid: 1000 })
      expect([inside.uids, inside.gids]).toEqual([
        [1000, 1000, 1000],
        [1000, 1000, 1000],
      ])
    }
    const refused = launch(program, [], { namespaces, ...maps, uid: 1001 })
    await expect(refused).rejects.toMatchObject({
      code: 'EINVAL',
      step: 'uid',
      message: expect.stringContaining('uidMap'),
    })
  })

  it.runIf(hasCapability('CAP_SYS_ADMIN'))('of root may have many ids, and groups', async () => {
    const maps = {
      uidMap: [
        [0, 100_000, 1000],
        [1000, 0, 1],
      ],
      gidMap: [[0, 100_000, 1000]],
    } as const
    const inside = await lookInside(program, { namespaces: ['user'], ...maps, uid: 5, gid: 6, groups: [7, 8] })
    expect(inside).toMatchObject({ uids: [5, 5, 5], gids: [6, 6, 6], groups: [7, 8] })
  })

  it.runIf(hasCapability('CAP_SYS_ADMIN'))('of root needs no user namespace', async () => {
    const before = (await lookInside(program)).namespaces
    const inside = await lookInside(program, { namespaces: ['pid', 'net', 'uts'] })
    expect(inside.pid).toBe(1)
    expect(inside.namespaces.user).toBe(before.user)
    expect(inside.namespaces.net).not.toBe(before.net)
  })

  it.each(modes)('whose map is refused is undone, and the error names it ($name)', async mode => {
    const options = { ...optionsOf(mode), namespaces: ['user'] } as const
    const overlapping = {
      uidMap: [
        [0, uid, 1],
        [0, uid, 1],
      ],
    } as const
    await expect(launch(program, [], { ...options, ...overlapping })).rejects.toMatchObject({
      step: 'uidMap',
      code: expect.stringMatching(/^(EINVAL|EPERM)$/),
      path: expect.stringMatching(/^\/proc\/\d+\/uid_map$/),
    })
    const gids = {
      gidMap: [
        [0, gid, 1],
        [0, gid, 1],
      ],
    } as const
    await expect(launch(program, [], { ...options, ...gids })).rejects.toMatchObject({ step: 'gidMap' })
  })

  it.each(modes)('that fails before its maps are written says its own step ($name)', async mode => {
    const options = { ...optionsOf(mode), cgroup: '/no/such/cgroup', namespaces: ['user'], ...own } as const
    for (let round = 0; round < 20; round++) {
      for (const gate of [{}, { beforeExec: () => {} }]) {
        await expect(launch(program, [], { ...options, ...gate })).rejects.toMatchObject({ step: 'cgroup' })
      }
    }
  })

  it('gives none of its mounts to outside', async () => {
    const folder = temporaryFolder()
    const script = `mount -t tmpfs none ${folder} && touch ${folder}/inside && ls ${folder}`
    await using child = await launch('/bin/sh', ['-c', script], { trace: false, namespaces: ['user', 'mnt'], ...own })
    expect(await child.exited).toMatchObject({ code: 0 })
    expect(statSync(folder).dev).toBe(statSync(join(folder, '../..')).dev)
  })

  it.runIf(hasCapability('CAP_SYS_CHROOT')).each(modes)('has the root that is asked for ($name)', async mode => {
    const root = temporaryFolder()
    mkdirSync(join(root, 'bin'))
    copyFileSync(compileInside(['-static']), join(root, 'bin/inside'))
    const look = (options: LaunchOptions, file = '/bin/inside') =>
      lookInside(file, { ...optionsOf(mode), chroot: root, env: { PATH: '/bin' }, ...options })
    const { dev, ino } = statSync(root)
    expect(await look({})).toMatchObject({ root: `${dev}:${ino}`, cwd: '/' })
    expect(await look({ cwd: '/bin' }, 'inside')).toMatchObject({ root: `${dev}:${ino}`, cwd: '/bin' })
    await expect(look({}, '/bin/sh')).rejects.toMatchObject({ code: 'ENOENT', step: 'execve', path: '/bin/sh' })
    await expect(look({ cwd: '/usr' })).rejects.toMatchObject({ code: 'ENOENT', step: 'chdir' })
    await expect(look({ chroot: `${root}/none` })).rejects.toMatchObject({ code: 'ENOENT', step: 'chroot' })
  })

  it.skipIf(whyNoOrdinaryUser !== undefined)(
    'of an ordinary user has no namespace or root without one of its own',
    async () => {
      const { reports, stderr } = await runNode(
        `const { getuid, getgid } = process
      const attempt = options => outcome(launch('/bin/sh', ['-c', 'echo $(id -u) $(id -g) $$'], { trace: false, ...options }).then(async child => { let text = ''; for await (const chunk of child.stdout) text += chunk; return text.trim() }))
      for (const options of [{ namespaces: ['net'] }, { namespaces: ['pid'] }, { chroot: '/' }]) { const { code, step } = await attempt(options); report([code, step]) }
      report(await attempt({ namespaces: ['user', 'pid', 'net', 'mnt'], uidMap: [[0, getuid(), 1]], gidMap: [[0, getgid(), 1]], chroot: '/' }))
      report(await attempt({ namespaces: ['user', 'pid'], uidMap: [[5, getuid(), 1]], gidMap: [[6, getgid(), 1]], uid: 5, gid: 6 }))
      const { code, step } = await attempt({ namespaces: ['user'], uidMap: [[0, getuid(), 1]], gidMap: [[0, getgid(), 1]], groups: [0] })
      report([code, step])`,
        asNobody === undefined ? {} : { behind: asNobody },
      )
      expect(reports, stderr).toEqual([
        ['EPERM', 'namespaces'],
        ['EPERM', 'namespaces'],
        ['EPERM', 'chroot'],
        { value: '0 0 1' },
        { value: '5 6 1' },
        ['EPERM', 'groups'],
      ])
    },
  )

  it('beyond the limit of namespaces is refused by name', async () => {
    const behind = ['unshare', '-Ur', 'sh', '-c', 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"', 'sh']
    const { reports, stderr } = await runNode(
      `const { code, step } = await outcome(launch('/bin/true', [], { namespaces: ['user'] })); report([code, step])`,
      { behind },
    )
    expect(reports, stderr).toEqual([['ENOSPC', 'namespaces']])
  })
})
