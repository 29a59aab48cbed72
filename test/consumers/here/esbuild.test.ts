import { mkdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { platformName } from '../../../lib/native/platform.ts'
import { everythingWorks, resultOf, scenarioSeen } from '../support/expected.ts'
import { Project } from '../support/project.ts'

const esbuild = fileURLToPath(new URL('../../../node_modules/.bin/esbuild', import.meta.url))

describe('a program bundled by esbuild', () => {
  let project: Project
  let away: Project
  beforeAll(async () => {
    project = await Project.installed()
    project.add('exercise.mjs', 'esm.mjs', 'scenario.mjs', 'in-console.mjs')
    away = new Project()
    mkdirSync(away.path('out'))
  })
  afterAll(() => {
    project.remove()
    away.remove()
  })

  const bundle = async (file: string, to: string, ...options: readonly string[]) => {
    const quiet = ['--bundle', '--format=esm', '--log-level=warning', `--outfile=${away.path(`out/${to}`)}`]
    expect(await project.run(esbuild, [file, ...quiet, ...options])).toMatchObject({
      status: 0,
      stdout: '',
      stderr: '',
    })
  }
  const forNode = ['--platform=node', '--loader:.node=copy']
  const requires = `--banner:js=import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)`

  it('brings the addon along by the entry point of the platform', async () => {
    project.write('app.mjs', `import 'tracegate/native/${platformName()}'\nimport './esm.mjs'\n`)
    await bundle('app.mjs', 'app.mjs', ...forNode, requires)
    const { status, stdout, stderr } = await away.run(process.execPath, ['out/app.mjs'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(resultOf(stdout)).toEqual({ native: everythingWorks('native'), simulated: everythingWorks('simulated') })
  })

  it('has a simulated kernel that needs nothing of Node, so that it builds for a browser', async () => {
    await bundle('in-console.mjs', 'neutral.mjs', '--platform=browser')
    const bundled = readFileSync(away.path('out/neutral.mjs'), 'utf8')
    expect(bundled.match(/['"]node:\w+['"]|\brequire\(/g) ?? []).toEqual([])
    expect(resultOf(await away.succeed(process.execPath, ['out/neutral.mjs']))).toEqual(scenarioSeen)
  })
})
