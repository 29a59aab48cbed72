import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { everythingWorks, loadedOnDemand, resultOf } from '../support/expected.ts'
import { Project } from '../support/project.ts'
import { obtain, skipped } from '../support/runtimes.ts'

const simulated = everythingWorks('simulated')
const deno = await obtain('deno')

describe.skipIf(deno.whyNot)(`the package on Deno${skipped(deno)}`, () => {
  let project: Project
  beforeAll(async () => {
    project = await Project.installed()
    project.add('exercise.mjs', 'esm.mjs', 'on-demand.mjs', 'required.cjs', 'in-worker.mjs', 'environment.mjs')
  })
  afterAll(() => project.remove())

  // A separate cache folder for Deno.
  const run = (...args: readonly string[]) =>
    project.run(deno.program!, ['run', '--no-prompt', ...args], {
      env: { DENO_DIR: project.path('.deno'), DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' },
    })

  it.each(['esm.mjs', 'required.cjs', 'in-worker.mjs'])('launches, natively and simulated, from %s', async program => {
    const { status, stdout, stderr } = await run('--allow-all', program)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(resultOf(stdout)).toEqual({ native: everythingWorks('native'), simulated })
  })

  it('loads the simulated kernel when it is opened, which throws the errors of the other entry', async () => {
    const { status, stdout, stderr } = await run('--allow-all', 'on-demand.mjs')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(resultOf(stdout)).toEqual(loadedOnDemand)
  })

  it('gives children the environment that the program has set', async () => {
    expect(resultOf((await run('--allow-all', 'environment.mjs')).stdout)).toEqual({ set: 'by the program' })
  })

  it('runs the command', async () => {
    const command = project.path('node_modules/tracegate/dist/cli/main.js')
    expect(await run('--allow-all', command, 'run', '--', '/bin/echo', 'hi')).toMatchObject({
      status: 0,
      stdout: 'hi\n',
    })
  })

  it('simulates, with a warning that says why, where Deno does not allow native addons', async () => {
    const { stdout, stderr } = await run('--allow-read', '--allow-env', '--allow-sys', 'esm.mjs')
    expect(resultOf(stdout)).toEqual({ native: simulated, simulated })
    expect(stderr.match(/TRACEGATE_SIMULATED/g)).toHaveLength(1)
    expect(stderr).toMatch(/--allow-ffi/)
    expect(stderr).not.toContain('node-gyp')
  })
})
