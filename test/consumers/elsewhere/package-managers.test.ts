import { chmodSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { itInstallsWithoutBuilding, npm } from '../support/package-manager.ts'
import { Project } from '../support/project.ts'
import { noSettings } from '../support/run.ts'
import { obtain, skipped } from '../support/runtimes.ts'

const node = await obtain('node24')
// npm finds node by PATH, even if no scripts run.
const withNode = { PATH: `${dirname(node.program ?? '')}:${process.env.PATH}` }

for (const version of [10, 11, 12] as const) {
  const program = await obtain(`npm${version}`)
  const command = [node.program!, program.program!]

  itInstallsWithoutBuilding({
    name: `npm ${version}`,
    whyNot: program.whyNot ?? node.whyNot,
    command,
    version: new RegExp(`^${version}\\.`),
    env: () => withNode,
    ...npm,
  })

  describe.skipIf(program.whyNot ?? node.whyNot)(`npm ${version}, globally${skipped(program, node)}`, () => {
    let project: Project
    beforeAll(() => {
      project = new Project()
    })
    afterAll(() => project.remove())

    it('installs the package, and its command works', async () => {
      const prefix = project.path('global')
      const args = ['install', '--global', '--no-update-notifier', `--prefix=${prefix}`, inject('tarball')]
      const env = { ...noSettings, ...withNode, TMPDIR: project.folder }
      const outcome = await project.run(command[0]!, [command[1]!, ...args], { env })
      expect(outcome).toMatchObject({ status: 0, stderr: '' })
      expect(await project.succeed(`${prefix}/bin/tracegate`, ['run', '--', '/bin/echo', 'hi'])).toBe('hi\n')
    })
  })
}

const pnpm = await obtain('pnpm')
if (pnpm.program !== undefined) chmodSync(pnpm.program, 0o755)

itInstallsWithoutBuilding({
  name: 'pnpm',
  whyNot: pnpm.whyNot,
  command: [pnpm.program!],
  version: /^12\./,
  add: name => ['add', `./${name}.tgz`],
  fromLockFile: ['install', '--frozen-lockfile'],
  env: folder => ({
    PNPM_HOME: join(folder, 'home'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_STATE_HOME: join(folder, 'state'),
    CI: '1',
  }),
})

const yarn1 = await obtain('yarn1')

itInstallsWithoutBuilding({
  name: 'yarn 1',
  whyNot: yarn1.whyNot,
  command: [process.execPath, yarn1.program!],
  version: /^1\./,
  add: name => ['add', `./${name}.tgz`],
  fromLockFile: ['install', '--frozen-lockfile'],
  env: folder => ({ YARN_CACHE_FOLDER: folder }),
  // The last step has this name at every install, and the project has no licence.
  always: /^\[\d\/\d\] .*Building fresh packages|^warning .*package\.json: No license field$/,
})

const yarn4 = await obtain('yarn4')

itInstallsWithoutBuilding({
  name: 'yarn 4',
  whyNot: yarn4.whyNot,
  command: [process.execPath, yarn4.program!],
  version: /^4\./,
  add: name => ['add', `${name}@file:./${name}.tgz`],
  fromLockFile: ['install', '--immutable'],
  env: folder => ({
    YARN_NODE_LINKER: 'node-modules',
    YARN_GLOBAL_FOLDER: folder,
    YARN_ENABLE_TELEMETRY: '0',
    // By default it runs no build script of a dependency, and prints a notice if there is one.
    YARN_ENABLE_SCRIPTS: '1',
  }),
})

const bun = await obtain('bun')
if (bun.program !== undefined) chmodSync(bun.program, 0o755)

itInstallsWithoutBuilding({
  name: 'bun',
  whyNot: bun.whyNot,
  command: [bun.program!],
  version: /^1\./,
  add: name => ['add', `./${name}.tgz`],
  fromLockFile: ['install', '--frozen-lockfile'],
  env: folder => ({ BUN_INSTALL_CACHE_DIR: folder }),
})
