import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { obtainDebian } from '../support/debian.ts'
import { everythingWorks, resultOf } from '../support/expected.ts'
import { Project } from '../support/project.ts'
import { type Obtained, obtain, skipped } from '../support/runtimes.ts'

// The arm64 libraries of Debian's cross compiler.
const libraries = '/usr/aarch64-linux-gnu'
const compiler = 'aarch64-linux-gnu-gcc'
const shim = fileURLToPath(new URL('../../fixtures/glibc-names-on-musl.c', import.meta.url))

const exists = (tool: string) => spawnSync(tool, ['--version']).status === 0
const emulators = ['qemu-aarch64-static', 'qemu-aarch64']
const emulator = emulators.find(exists) ?? emulators[0]!

function whyNot(platform: string): string | undefined {
  if (!exists(emulator)) return `no ${emulator} here (apt-get install qemu-user-static)`
  if (!existsSync(`${libraries}/lib/libstdc++.so.6`)) return 'no libraries (apt-get install libstdc++6-arm64-cross)'
  if (!inject('platforms').includes(platform)) return `no up-to-date addon for ${platform} (npm run prebuild)`
  return undefined
}

interface Seen {
  readonly native: Record<string, unknown>
  readonly simulated: unknown
}

const options = { timeoutMs: 240_000 }

function worksButForPtrace(seen: () => Seen): void {
  it('loads the addon for arm64: channels and untraced launches are native', () => {
    const { kind, pipe, socketpair, untraced } = everythingWorks('native')
    expect(seen().native).toMatchObject({ kind, pipe, socketpair, untraced })
  })

  it('rejects a traced launch with the error that the emulator answers ptrace with, and the step', () => {
    const refused = { error: 'ENOSYS', message: 'ENOSYS: function not implemented, ptrace (traceme)' }
    expect(seen().native).toMatchObject({
      traced: refused,
      piped: refused,
      failing: { code: 'ENOSYS', step: 'traceme' },
    })
  })

  it('simulates everything', () => {
    expect(seen().simulated).toEqual(everythingWorks('simulated'))
  })
}

const lacking = whyNot('linux-arm64-glibc')
const node: Obtained = lacking === undefined ? await obtain('nodeArm64') : { whyNot: lacking }

describe.skipIf(node.whyNot)(`the package on arm64, emulated, which is all but ptrace${skipped(node)}`, () => {
  let seen: Seen
  let project: Project
  beforeAll(async () => {
    project = await Project.installed()
    project.add('exercise.mjs', 'esm.mjs')
    seen = resultOf(await project.succeed(emulator, ['-L', libraries, node.program!, 'esm.mjs'], options)) as Seen
  }, 300_000)
  afterAll(() => project.remove())

  worksButForPtrace(() => seen)
})

const lackingForMusl =
  whyNot('linux-arm64-musl') ??
  (exists(compiler) ? undefined : `no ${compiler} here (apt-get install gcc-aarch64-linux-gnu)`)
const musl: Obtained = lackingForMusl === undefined ? await obtainDebian('arm64', ['musl']) : { whyNot: lackingForMusl }
const bun: Obtained = musl.whyNot === undefined ? await obtain('bunMuslArm64') : musl

describe.skipIf(bun.whyNot)(`the package on arm64 with musl, in Bun, emulated${skipped(bun)}`, () => {
  let project: Project
  const run = async (program: string) => {
    // Debian's libraries for arm64 name no loader of glibc, whose place the shim could take.
    const variables = [`LD_LIBRARY_PATH=${project.folder}`, `LD_PRELOAD=${project.path('shim.so')}`]
    const settings = ['-L', musl.program!, ...variables.flatMap(variable => ['-E', variable])]
    return resultOf(await project.succeed(emulator, [...settings, bun.program!, program], options))
  }
  let seen: Seen
  beforeAll(async () => {
    project = await Project.installed()
    project.add('exercise.mjs', 'esm.mjs', 'loaded.mjs')
    for (const name of ['libstdc++.so.6', 'libgcc_s.so.1']) copyFileSync(`${libraries}/lib/${name}`, project.path(name))
    await project.succeed(compiler, ['-shared', '-fPIC', '-nostdlib', '-o', project.path('shim.so'), shim])
    seen = (await run('esm.mjs')) as Seen
  }, 300_000)
  afterAll(() => project.remove())

  it('chooses the addon for musl', async () => {
    const { loaded } = (await run('loaded.mjs')) as { loaded: string[] }
    expect(loaded.map(path => path.split('/prebuilds/')[1])).toEqual(['linux-arm64/tracegate.musl.node'])
  })

  worksButForPtrace(() => seen)
})
