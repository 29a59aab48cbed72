import { chmodSync, existsSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { everythingWorks, resultOf } from '../support/expected.ts'
import { Project } from '../support/project.ts'
import { noSettings } from '../support/run.ts'
import { obtain, skipped } from '../support/runtimes.ts'

const both = { native: everythingWorks('native'), simulated: everythingWorks('simulated') }
const node = await obtain('node24')

for (const version of [11, 12] as const) {
  const npm = await obtain(`npm${version}`)

  describe.skipIf(npm.whyNot ?? node.whyNot)(`npm ${version}${skipped(npm, node)}`, () => {
    let project: Project
    beforeAll(() => {
      project = new Project()
      project.add('exercise.mjs', 'esm.mjs')
    })
    afterAll(() => project.remove())

    const run = (...args: readonly string[]) =>
      // npm finds node, for scripts if there were any, by PATH.
      project.run(node.program!, [npm.program!, ...args], {
        env: { ...noSettings, PATH: `${dirname(node.program!)}:${process.env.PATH}` },
      })

    it('is that npm', async () => {
      expect((await run('--version')).stdout).toMatch(new RegExp(`^${version}\\.`))
    })

    it('installs the package without a word of scripts, allowed or blocked', async () => {
      const { status, stdout, stderr } = await run('install', '--no-audit', '--no-fund', inject('tarball'))
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(stdout).toMatch(/^\s*added 1 package in \S+\s*$/)
    })

    it('installed what launches', async () => {
      expect(resultOf(await project.succeed(node.program!, ['esm.mjs']))).toEqual(both)
    })

    it('installs it globally too, and the command works', async () => {
      const prefix = project.path('global')
      expect(await run('install', '--global', `--prefix=${prefix}`, inject('tarball'))).toMatchObject({
        status: 0,
        stderr: '',
      })
      expect(await project.succeed(`${prefix}/bin/tracegate`, ['run', '--', '/bin/echo', 'hi'])).toBe('hi\n')
    })
  })
}

const pnpm = await obtain('pnpm')

describe.skipIf(pnpm.whyNot)(`pnpm${skipped(pnpm)}`, () => {
  let project: Project
  beforeAll(() => {
    project = new Project()
    project.add('exercise.mjs', 'esm.mjs')
    chmodSync(pnpm.program!, 0o755)
  })
  afterAll(() => project.remove())

  it('installs the package without a word of build scripts', async () => {
    const env = {
      ...noSettings,
      PNPM_HOME: project.path('.pnpm-home'),
      XDG_CACHE_HOME: project.path('.cache'),
      XDG_DATA_HOME: project.path('.data'),
      XDG_STATE_HOME: project.path('.state'),
      CI: '1',
    }
    const { status, stdout, stderr } = await project.run(pnpm.program!, ['add', inject('tarball')], { env })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/\+ tracegate/)
    expect(stdout).not.toMatch(/build|script|ignored|warn/i)
    expect(existsSync(project.path('node_modules/tracegate'))).toBe(true)
    expect(readdirSync(project.path('node_modules/.pnpm')).filter(name => name.includes('@'))).toHaveLength(1)
  })

  it('installed what launches', async () => {
    expect(resultOf(await project.succeed(process.execPath, ['esm.mjs']))).toEqual(both)
  })
})
