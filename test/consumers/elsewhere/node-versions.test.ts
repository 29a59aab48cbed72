import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { everythingWorks, loadedOnDemand, resultOf } from '../support/expected.ts'
import { Project } from '../support/project.ts'
import { obtain, skipped } from '../support/runtimes.ts'

for (const version of [20, 22, 24, 26] as const) {
  const node = await obtain(`node${version}`)

  describe.skipIf(node.whyNot)(`the package on Node ${version}${skipped(node)}`, () => {
    let project: Project
    beforeAll(async () => {
      project = await Project.installed()
      project.add('exercise.mjs', 'esm.mjs', 'on-demand.mjs', 'required.cjs', 'in-worker.mjs')
    })
    afterAll(() => project.remove())

    it('is on that Node', async () => {
      expect(await project.succeed(node.program!, ['--version'])).toMatch(new RegExp(`^v${version}\\.`))
    })

    it.each(['esm.mjs', 'required.cjs', 'in-worker.mjs'])(
      'launches, natively and simulated, from %s',
      async program => {
        const { status, stdout, stderr } = await project.run(node.program!, [program])
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
        expect(resultOf(stdout)).toEqual({ native: everythingWorks('native'), simulated: everythingWorks('simulated') })
      },
    )

    it('loads the simulated kernel when it is opened, which throws the errors of the other entry', async () => {
      const { status, stdout, stderr } = await project.run(node.program!, ['on-demand.mjs'])
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(resultOf(stdout)).toEqual(loadedOnDemand)
    })

    it('runs the command', async () => {
      const command = project.path('node_modules/tracegate/dist/cli/main.js')
      const { status, stdout, stderr } = await project.run(node.program!, [command, 'run', '--', '/bin/echo', 'hi'])
      expect({ status, stdout }).toEqual({ status: 0, stdout: 'hi\n' })
      expect(stderr).toContain('/bin/echo in the native system')
    })
  })
}
