/** Requirements on every package manager: it installs the packed package in every way, and has nothing to build. */

import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { everythingWorks, resultOf } from './expected.ts'
import { Project } from './project.ts'
import { noSettings, type Outcome, succeed } from './run.ts'
import { skipped } from './runtimes.ts'

export interface PackageManager {
  readonly name: string
  /** The reason why it is not available here. */
  readonly whyNot?: string | undefined
  /** The program, and the arguments of every call. */
  readonly command: readonly string[]
  /** The expected start of the output of `--version`. */
  readonly version: RegExp
  /** The arguments that add ./tracegate.tgz or ./beside.tgz to the project. */
  readonly add: (name: string) => readonly string[]
  /** The arguments that install exactly what the lock file lists. */
  readonly fromLockFile: readonly string[]
  /** Additions to the plain environment. `folder` is for its caches. */
  readonly env?: (folder: string) => Readonly<Record<string, string | undefined>>
  /** Lines that it prints at every install, of any package. */
  readonly always?: RegExp
}

const both = { native: everythingWorks('native'), simulated: everythingWorks('simulated') }

/** Words that the output of an install must not contain. */
const worrying = /\b(?:re)?build|gyp|script|ignored|blocked|disabled|\bwarn|error/i

/** Declares the tests of one package manager. */
export function itInstallsWithoutBuilding(manager: PackageManager): void {
  describe.skipIf(manager.whyNot !== undefined)(`${manager.name}${skipped(manager)}`, () => {
    let project: Project
    beforeAll(async () => {
      project = new Project()
      mkdirSync(project.path('.caches'))
      project.add('exercise.mjs', 'esm.mjs')
      cpSync(inject('tarball'), project.path('tracegate.tgz'))
      await packAnother(project)
    })
    afterAll(() => project.remove())

    const run = (args: readonly string[]): Promise<Outcome> => {
      const [program, ...first] = manager.command
      const caches = join(project.folder, '.caches')
      // Node's compile cache, too.
      const env = { ...noSettings, TMPDIR: caches, ...manager.env?.(caches) }
      return project.run(program!, [...first, ...args], { env })
    }
    const installs = async (args: readonly string[]) => {
      const { status, stdout, stderr } = await run(args)
      const said = `${stdout}${stderr}`
      expect(status, said).toBe(0)
      const lines = said.split('\n').filter(line => !manager.always?.test(line))
      expect(lines.filter(line => worrying.test(line))).toEqual([])
      const built = ['build', 'src/build'].filter(folder =>
        existsSync(project.path(`node_modules/tracegate/${folder}`)),
      )
      expect(built).toEqual([])
      expect(resultOf(await project.succeed(process.execPath, ['esm.mjs']))).toEqual(both)
    }

    it('is that version', async () => {
      expect((await run(['--version'])).stdout).toMatch(manager.version)
    })

    it('adds the package, builds nothing and has no word of building', () => installs(manager.add('tracegate')))

    it('installs it from the lock file just so', async () => {
      rmSync(project.path('node_modules'), { recursive: true })
      await installs(manager.fromLockFile)
    })

    it('adds another package beside it just so', async () => {
      await installs(manager.add('beside'))
      expect(existsSync(project.path('node_modules/beside/package.json'))).toBe(true)
    })
  })
}

async function packAnother(project: Project): Promise<void> {
  const folder = project.path('.beside')
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'beside', version: '1.0.0' }))
  await succeed('npm', ['pack', '--silent'], { cwd: folder, env: noSettings })
  cpSync(join(folder, 'beside-1.0.0.tgz'), project.path('beside.tgz'))
  rmSync(folder, { recursive: true })
}

const quiet = ['--no-audit', '--no-fund', '--no-update-notifier']

/** The version of npm that the command runs. */
export const npm = {
  add: (name: string) => ['install', ...quiet, `./${name}.tgz`],
  fromLockFile: ['ci', ...quiet],
} as const
