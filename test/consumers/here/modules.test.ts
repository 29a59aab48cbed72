import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { everythingWorks, loadedOnDemand, resultOf } from '../support/expected.ts'
import { Project } from '../support/project.ts'

describe('the installed package', () => {
  let project: Project
  beforeAll(async () => {
    project = await Project.installed()
    project.add('exercise.mjs', 'esm.mjs', 'on-demand.mjs', 'required.cjs')
  })
  afterAll(() => project.remove())

  const both = { native: everythingWorks('native'), simulated: everythingWorks('simulated') }

  it('loads the simulated kernel when it is opened, which throws the errors of the other entry', async () => {
    const { status, stdout, stderr } = await project.run(process.execPath, ['on-demand.mjs'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(resultOf(stdout)).toEqual(loadedOnDemand)
  })

  it.each(['esm.mjs', 'required.cjs'])('works in a program that has it by %s', async program => {
    const { status, stdout, stderr } = await project.run(process.execPath, [program])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(resultOf(stdout)).toEqual(both)
  })
})
