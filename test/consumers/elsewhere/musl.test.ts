import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { everythingWorks, resultOf } from '../support/expected.ts'
import { Project } from '../support/project.ts'
import { type Obtained, obtain, skipped } from '../support/runtimes.ts'

const loader = '/lib/ld-musl-x86_64.so.1'
const platform = 'linux-x64-musl'
const shim = fileURLToPath(new URL('../../fixtures/glibc-names-on-musl.c', import.meta.url))

/** The path of a library of this machine, as gcc finds it. */
function libraryPath(name: string): string | undefined {
  const { status, stdout } = spawnSync('cc', [`-print-file-name=${name}`], { encoding: 'utf8' })
  return status === 0 && existsSync(stdout.trim()) ? stdout.trim() : undefined
}

// Bun's musl build needs a libstdc++ for musl, which Debian lacks.
const libraries = ['libstdc++.so.6', 'libgcc_s.so.1'].map(name => [name, libraryPath(name)] as const)

function whyNot(): string | undefined {
  if (!existsSync(loader)) return 'no musl here (apt-get install musl)'
  if (libraries.some(([, path]) => path === undefined)) return 'no C compiler with a libstdc++ here'
  if (!inject('platforms').includes(platform)) return `no up-to-date addon for ${platform} (npm run prebuild)`
  return undefined
}

const lacking = whyNot()
const bun: Obtained = lacking === undefined ? await obtain('bunMusl') : { whyNot: lacking }

describe.skipIf(bun.whyNot)(`the package on a musl runtime, Bun's${skipped(bun)}`, () => {
  const simulated = everythingWorks('simulated')
  let project: Project
  beforeAll(async () => {
    project = await Project.installed()
    project.add('exercise.mjs', 'esm.mjs', 'in-worker.mjs', 'loaded.mjs')
    mkdirSync(project.path('libraries'))
    for (const [name, path] of libraries) copyFileSync(path!, join(project.path('libraries'), name))
    const named = join(project.path('libraries'), 'ld-linux-x86-64.so.2')
    await project.succeed('cc', ['-shared', '-fPIC', '-nostdlib', '-o', named, shim])
  })
  afterAll(() => project.remove())

  const run = (program: string) =>
    project.run(bun.program!, [program], { env: { LD_LIBRARY_PATH: project.path('libraries') } })

  it('chooses the addon for musl', async () => {
    const { loaded } = resultOf((await run('loaded.mjs')).stdout) as { loaded: string[] }
    expect(loaded.map(path => path.split('/prebuilds/')[1])).toEqual(['linux-x64/tracegate.musl.node'])
  })

  it.each(['esm.mjs', 'in-worker.mjs'])('launches, natively and simulated, from %s', async program => {
    const { status, stdout, stderr } = await run(program)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(resultOf(stdout)).toEqual({ native: everythingWorks('native'), simulated })
  })

  it('refuses an addon for glibc rather than trying it', async () => {
    const folder = project.path('node_modules/tracegate/prebuilds/linux-x64')
    copyFileSync(join(folder, 'tracegate.glibc.node'), join(folder, 'tracegate.musl.node'))
    const { stdout, stderr } = await run('esm.mjs')
    expect(resultOf(stdout)).toEqual({ native: simulated, simulated })
    expect(stderr).toMatch(/tracegate\.musl\.node is built for glibc; this is musl/)
    rmSync(join(folder, 'tracegate.musl.node'))
    expect((await run('esm.mjs')).stderr).toMatch(/there is no .*tracegate\.musl\.node/)
  })
})
