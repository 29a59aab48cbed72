import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { buildCommand } from '../../lib/native/build-command.ts'
import { withInstalledPackage } from '../support/installed-package.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const has = (program: string, option = '--version') => spawnSync(program, [option], { stdio: 'ignore' }).status === 0
const hasHeaders = existsSync(join(dirname(dirname(process.execPath)), 'include/node/node_api.h'))
const whySkipped =
  process.platform !== 'linux' || !has('g++') || !has('make') || !has('python3')
    ? 'no compiler'
    : hasHeaders
      ? undefined
      : "Node's headers are not installed beside it"

describe.skipIf(whySkipped !== undefined)(
  `the command that builds from source${whySkipped === undefined ? '' : ` (skipped: ${whySkipped})`}`,
  () => {
    it(
      'builds in an installed package, which has no dependency beside it',
      () =>
        withInstalledPackage(({ installed }) => {
          const isSource = (path: string) => path !== join(root, 'src/build')
          cpSync(join(root, 'src'), join(installed, 'src'), { recursive: true, filter: isSource })
          const [, packages, command] = /^npx --yes (.*) -- (node-gyp .*)$/.exec(buildCommand(installed))!
          expect(packages).toMatch(/^--package=node-gyp@\d+ --package=node-addon-api@\d+$/)
          // npx puts the programs of installed packages into PATH. This does the same.
          const path = `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`
          execFileSync('sh', ['-c', command!], {
            cwd: '/',
            env: { ...process.env, PATH: path, npm_config_jobs: 'max' },
            stdio: 'pipe',
          })
          const script = `const { searchAddon } = await import(${JSON.stringify(join(installed, 'dist/native/load-addon.js'))})
          console.log(searchAddon().from)`
          const from = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
            encoding: 'utf8',
            env: { ...process.env, PREBUILDS_ONLY: '' },
          })
          expect(from.trim()).toBe(join(installed, 'src/build/Release/tracegate.node'))
        }, 'modules'),
      200_000,
    )
  },
)

describe('the command that builds from source', () => {
  it('can be pasted into a shell whatever the folder is called', () => {
    const folder = "/tmp/it's a folder/tracegate"
    const words = execFileSync('sh', ['-c', `npx() { printf '%s\\n' "$@"; }; ${buildCommand(folder)}`], {
      encoding: 'utf8',
    })
    expect(words.split('\n')).toContain(`--directory=${folder}/src`)
  })

  it("builds a clone by the clone's own binding.gyp", () => {
    expect(buildCommand(root.replace(/\/$/, ''))).toContain(` --directory=${root.replace(/\/$/, '')}`)
    expect(buildCommand(root)).not.toContain('/src')
  })

  it('asks for the versions that the clone builds with', () => {
    const manifest = JSON.parse(
      execFileSync(process.execPath, ['-p', 'JSON.stringify(require("./package.json").devDependencies)'], {
        cwd: root,
        encoding: 'utf8',
      }),
    ) as Record<string, string>
    for (const name of ['node-gyp', 'node-addon-api']) {
      expect(buildCommand('/x')).toContain(`--package=${name}@${manifest[name]!.split('.')[0]} `)
    }
  })
})
