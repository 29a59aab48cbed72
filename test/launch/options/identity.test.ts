/** The user and groups of launched programs. */

import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync } from 'node:fs'
import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { hasCapability } from '../support/capabilities.ts'
import { temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { compileInside, lookInside } from '../support/look-inside.ts'
import { modes, optionsOf } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { asNobody, runNode, whyNoOrdinaryUser } from '../support/node.ts'

const title = `a launched program${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`
const mayChange = hasCapability('CAP_SETUID') && hasCapability('CAP_SETGID')
const copied = modes.filter(({ memory }) => memory === 'copied')
const nobody = 65_534

describeNative(title, () => {
  if (whyNoCompiler !== undefined) return it.skip('looks at itself', () => {})
  const program = compileInside()

  it.runIf(mayChange).each(copied)('is another user, with its three ids ($name)', async ({ trace }) => {
    for (const beforeExec of [undefined, () => {}]) {
      const inside = await lookInside(program, { trace, uid: nobody, gid: 7, beforeExec })
      expect(inside).toMatchObject({
        uids: [nobody, nobody, nobody],
        gids: [7, 7, 7],
        groups: [],
        parentDeathSignal: 0,
      })
    }
  })

  it.runIf(mayChange).each(copied)('has the supplementary groups that are asked for ($name)', async ({ trace }) => {
    const groups = [5, 70_000, 0xfffffffe]
    expect((await lookInside(program, { trace, uid: nobody, groups })).groups.sort((a, b) => a - b)).toEqual(groups)
    expect((await lookInside(program, { trace, groups: [9, 9] })).groups).toEqual([9, 9])
    expect((await lookInside(program, { trace, groups: [], memory: 'shared' })).groups).toEqual([])
  })

  it.runIf(mayChange)('keeps only its user where no other is asked for', async () => {
    const { uids, gids, groups } = await lookInside(program, { gid: 7 })
    expect({ uids, gids, groups }).toEqual({ uids: [0, 0, 0], gids: [7, 7, 7], groups: [] })
  })

  it.runIf(mayChange)('is who it would be under child_process', async () => {
    const options = { uid: nobody, gid: nobody, encoding: 'utf8' } as const
    const theirs = JSON.parse(execFileSync(program, options)) as { uids: number[]; gids: number[]; groups: number[] }
    const { uids, gids, groups } = await lookInside(program, { uid: nobody, gid: nobody })
    expect({ uids, gids, groups }).toEqual({ uids: theirs.uids, gids: theirs.gids, groups: theirs.groups })
  })

  it.runIf(mayChange)('enters its folder as the new user', async () => {
    const closed = temporaryFolder()
    chmodSync(closed, 0o700)
    const refused = launch(program, [], { uid: nobody, gid: nobody, cwd: closed })
    await expect(refused).rejects.toMatchObject({ code: 'EACCES', step: 'chdir', path: closed })
    chownSync(closed, nobody, nobody)
    expect((await lookInside(program, { uid: nobody, gid: nobody, cwd: closed })).cwd).toBe(closed)
    chownSync(closed, 0, 0)
  })

  it.runIf(mayChange)('that the new user may not execute is refused', async () => {
    const folder = temporaryFolder()
    chmodSync(folder, 0o700)
    const refused = launch(`${folder}/program`, [], { uid: nobody })
    await expect(refused).rejects.toMatchObject({ code: 'EACCES', step: 'execve' })
  })

  it.runIf(mayChange).each(copied)(
    'as another user still dies with its launcher’s launch ($name)',
    async ({ trace }) => {
      const beforeExec = () => Promise.reject(new Error('never mind'))
      await expect(launch(program, [], { trace, uid: nobody, beforeExec })).rejects.toThrow('never mind')
    },
  )

  it.runIf(mayChange).each(copied)(
    'as another user has its limits from before the change ($name)',
    async ({ trace }) => {
      const inside = await lookInside(program, { trace, uid: nobody, umask: 0o27, rlimits: { nofile: [16, 32] } })
      expect(inside).toMatchObject({
        uids: [nobody, nobody, nobody],
        umask: 0o27,
        limits: expect.arrayContaining([[16, 32]]),
      })
    },
  )

  it.skipIf(whyNoOrdinaryUser !== undefined)('of an ordinary user stays what it is, or is refused', async () => {
    const { reports, stderr } = await runNode(
      `const uid = process.getuid(), gid = process.getgid()
      const attempt = options => outcome(launch('/usr/bin/id', ['-u'], { trace: false, stdio: 'ignore', ...options }).then(child => child.exited).then(({ code }) => code))
      report(await attempt({ uid, gid }))
      for (const options of [{ uid: 0 }, { gid: 0 }, { groups: [0] }]) { const { code, step, message } = await attempt(options); report([code, step, message.includes('CAP_SET')]) }`,
      asNobody === undefined ? {} : { behind: asNobody },
    )
    expect(reports, stderr).toEqual([
      { value: 0 },
      ['EPERM', 'uid', true],
      ['EPERM', 'gid', true],
      ['EPERM', 'groups', true],
    ])
  })

  it.each(copied.map(mode => optionsOf(mode)))('of its own user and group is launched (%j)', async options => {
    const uid = process.getuid!()
    const gid = process.getgid!()
    expect(await lookInside(program, { ...options, uid, gid })).toMatchObject({
      uids: [uid, uid, uid],
      gids: [gid, gid, gid],
    })
  })
})
