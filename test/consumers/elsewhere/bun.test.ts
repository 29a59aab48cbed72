import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { everythingWorks, loadedOnDemand, resultOf } from '../support/expected.ts'
import { Project } from '../support/project.ts'
import { noSettings } from '../support/run.ts'
import { obtain, skipped } from '../support/runtimes.ts'

const both = { native: everythingWorks('native'), simulated: everythingWorks('simulated') }
const bun = await obtain('bun')

describe.skipIf(bun.whyNot)(`the package on Bun${skipped(bun)}`, () => {
  let project: Project
  beforeAll(() => {
    project = new Project()
    project.add('exercise.mjs', 'esm.mjs', 'on-demand.mjs', 'required.cjs', 'in-worker.mjs', 'environment.mjs')
  })
  afterAll(() => project.remove())

  it('is installed by bun without a word of blocked scripts', async () => {
    const env = { ...noSettings, BUN_INSTALL_CACHE_DIR: project.path('.bun-cache') }
    const { status, stdout, stderr } = await project.run(bun.program!, ['add', inject('tarball')], { env })
    expect(status).toBe(0)
    expect(stdout + stderr).not.toMatch(/block|script|trust|warn/i)
    expect(stdout).toContain('1 package installed')
  })

  it.each(['esm.mjs', 'required.cjs', 'in-worker.mjs'])('launches, natively and simulated, from %s', async program => {
    const { status, stdout, stderr } = await project.run(bun.program!, [program])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(resultOf(stdout)).toEqual(both)
  })

  it('loads the simulated kernel when it is opened, which throws the errors of the other entry', async () => {
    const { status, stdout, stderr } = await project.run(bun.program!, ['on-demand.mjs'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(resultOf(stdout)).toEqual(loadedOnDemand)
  })

  it('gives children the environment that the program has set', async () => {
    expect(resultOf(await project.succeed(bun.program!, ['environment.mjs']))).toEqual({ set: 'by the program' })
  })

  it('runs the command', async () => {
    const command = project.path('node_modules/tracegate/dist/cli/main.js')
    expect(await project.succeed(bun.program!, [command, 'run', '--', '/bin/echo', 'hi'])).toBe('hi\n')
  })
})
