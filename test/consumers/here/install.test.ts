import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { prebuildPath, targets } from '../../../scripts/prebuild/targets.mjs'
import { Project } from '../support/project.ts'
import { noSettings } from '../support/run.ts'

describe('npm install of the packed package', () => {
  let project: Project
  beforeAll(() => {
    project = new Project()
  })
  afterAll(() => project.remove())

  it('adds one package, runs nothing and has nothing to say', async () => {
    const { status, stdout, stderr } = await project.run(
      'npm',
      ['install', '--no-audit', '--no-fund', '--foreground-scripts', inject('tarball')],
      { env: noSettings },
    )
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^\s*added 1 package in \S+\s*$/)
    expect(readdirSync(project.path('node_modules')).filter(name => !name.startsWith('.'))).toEqual(['tracegate'])
  })

  it('has no script that npm would run at an install', () => {
    const manifest = JSON.parse(readFileSync(project.path('node_modules/tracegate/package.json'), 'utf8'))
    const { preinstall, install, postinstall, prepare } = manifest.scripts ?? {}
    expect([preinstall, install, postinstall, prepare, manifest.gypfile]).toEqual([...Array(4).fill(undefined), false])
  })

  it('brings the compiled library, its sources and the addons, and no tests', () => {
    const there = (path: string) => existsSync(project.path(`node_modules/tracegate/${path}`))
    const brought = ['dist/index.js', 'dist/index.d.ts', 'src/binding.gyp', 'docs', 'examples', 'README.md', 'LICENSE']
    expect(brought.filter(path => !there(path))).toEqual([])
    expect(['test', 'bench/run.mjs', 'binding.gyp', 'build', 'src/build', 'node_modules'].filter(there)).toEqual([])
    const addons = targets.filter(target => there(prebuildPath(target))).map(({ name }) => name)
    expect(addons.length).toBeGreaterThan(0)
    expect(addons).toEqual(inject('platforms'))
  })

  it('puts the command into the project', async () => {
    const { version } = JSON.parse(readFileSync(project.path('node_modules/tracegate/package.json'), 'utf8'))
    expect(await project.succeed('node_modules/.bin/tracegate', ['--version'])).toContain(version)
    expect(await project.succeed('node_modules/.bin/tracegate', ['run', '--', '/bin/echo', 'hi'])).toBe('hi\n')
  })
})
