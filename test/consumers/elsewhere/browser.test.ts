import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scenarioSeen } from '../support/expected.ts'
import { Project } from '../support/project.ts'

const esbuild = fileURLToPath(new URL('../../../node_modules/.bin/esbuild', import.meta.url))
const chromium = ['chromium', 'chromium-browser', 'google-chrome'].find(
  name => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
)
const skipped = chromium === undefined ? ' (skipped: no Chromium here (apt-get install chromium))' : ''

describe.skipIf(chromium === undefined)(`the simulated kernel in a browser${skipped}`, () => {
  let project: Project
  beforeAll(async () => {
    project = await Project.installed()
    project.add('scenario.mjs', 'in-page.mjs')
  })
  afterAll(() => project.remove())

  it('runs a launcher and its child in a page, as it does in Node', async () => {
    const bundled = ['--bundle', '--format=iife', '--platform=browser', '--log-level=warning', '--outfile=page.js']
    await project.succeed(esbuild, ['in-page.mjs', ...bundled])
    const page = project.write('page.html', '<!doctype html><body><script src="page.js"></script></body>')
    const options = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${project.path('profile')}`]
    // Virtual time: Chromium reads the page once no work is pending in it, however slow the machine.
    const read = ['--virtual-time-budget=30000', '--dump-dom', `file://${page}`]
    const dom = await project.succeed(chromium!, [...options, ...read])
    expect(/<pre id="error">([^<]*)/.exec(dom)?.[1]).toBeUndefined()
    expect(JSON.parse(/<pre id="seen">([^<]*)/.exec(dom)?.[1] ?? 'null')).toEqual(scenarioSeen)
  })
})
