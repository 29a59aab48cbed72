import { existsSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { libc } from '../../../lib/native/platform.ts'
import { everythingWorks, resultOf } from '../support/expected.ts'
import { Project } from '../support/project.ts'

const both = { native: everythingWorks('native'), simulated: everythingWorks('simulated') }

describe('the installed package', () => {
  let project: Project
  beforeAll(async () => {
    project = await Project.installed()
    project.add('exercise.mjs', 'esm.mjs', 'in-worker.mjs', 'warned.mjs')
  })
  afterAll(() => project.remove())

  it('works in a worker thread', async () => {
    const { status, stdout, stderr } = await project.run(process.execPath, ['in-worker.mjs'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(resultOf(stdout)).toEqual(both)
  })

  it('needs no compiler, indeed nothing in PATH', async () => {
    const env = { PATH: '/nonexistent', CC: undefined, CXX: undefined }
    expect(resultOf(await project.succeed(process.execPath, ['esm.mjs'], { env }))).toEqual(both)
  })
})

describe('the installed package without its addon', () => {
  let project: Project
  beforeAll(async () => {
    project = await Project.installed()
    project.add('exercise.mjs', 'esm.mjs', 'warned.mjs')
    rmSync(project.path('node_modules/tracegate/prebuilds'), { recursive: true })
    expect(existsSync(project.path('node_modules/tracegate/build'))).toBe(false)
  })
  afterAll(() => project.remove())

  it('works in the simulated system', async () => {
    const simulated = everythingWorks('simulated')
    expect(resultOf(await project.succeed(process.execPath, ['esm.mjs']))).toEqual({ native: simulated, simulated })
  })

  it('says so by one warning, which names the missing file and the command that builds it', async () => {
    const { warnings, kinds } = resultOf(await project.succeed(process.execPath, ['warned.mjs'])) as {
      warnings: { code: string; message: string }[]
      kinds: string[]
    }
    expect(kinds).toEqual(['simulated', 'simulated', 'simulated'])
    expect(warnings.map(({ code }) => code)).toEqual(['TRACEGATE_SIMULATED'])
    expect(warnings[0]!.message).toContain(`prebuilds/linux-${process.arch}/tracegate.${libc()}.node`)
    expect(warnings[0]!.message).toContain('node-gyp')
  })

  it('prints that warning once to standard error', async () => {
    const { stderr } = await project.run(process.execPath, ['esm.mjs'])
    expect(stderr.match(/TRACEGATE_SIMULATED/g)).toHaveLength(1)
  })

  it('refuses the native system with every cause', async () => {
    const program = "import('tracegate').then(({ openSystem }) => openSystem('native'))"
    const { status, stderr } = await project.run(process.execPath, ['-e', program])
    expect(status).toBe(1)
    expect(stderr).toContain('ERR_NATIVE_UNAVAILABLE')
    expect(stderr).toContain('src/build/Release/tracegate.node')
    expect(stderr).toContain(`tracegate.${libc()}.node`)
  })

  it('warns of nothing where the simulated system was asked for', async () => {
    const { stderr } = await project.run(process.execPath, ['esm.mjs'], { env: { TRACEGATE_SYSTEM: 'simulated' } })
    expect(stderr).toBe('')
  })
})

it('the tarball has the addon for this machine', () => {
  expect(inject('platforms')).toContain(`linux-${process.arch}-${libc()}`)
})
