import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { everythingWorks, resultOf } from '../support/expected.ts'
import { Project } from '../support/project.ts'
import { type Obtained, obtain, skipped } from '../support/runtimes.ts'

const emulator = 'qemu-aarch64-static'
// The arm64 libraries of Debian's cross compiler.
const libraries = '/usr/aarch64-linux-gnu'
const platform = 'linux-arm64-glibc'

function whyNot(): string | undefined {
  if (spawnSync(emulator, ['--version']).status !== 0) return `no ${emulator} here (apt-get install qemu-user-static)`
  if (!existsSync(`${libraries}/lib/libstdc++.so.6`)) return 'no libraries (apt-get install libstdc++6-arm64-cross)'
  if (!inject('platforms').includes(platform)) return `no up-to-date addon for ${platform} (npm run prebuild)`
  return undefined
}

const lacking = whyNot()
const node: Obtained = lacking === undefined ? await obtain('nodeArm64') : { whyNot: lacking }

describe.skipIf(node.whyNot)(`the package on arm64, emulated, which is all but ptrace${skipped(node)}`, () => {
  let seen: { native: Record<string, unknown>; simulated: unknown }
  let project: Project
  beforeAll(async () => {
    project = await Project.installed()
    project.add('exercise.mjs', 'esm.mjs')
    const options = { timeoutMs: 240_000 }
    seen = resultOf(await project.succeed(emulator, ['-L', libraries, node.program!, 'esm.mjs'], options)) as never
  }, 300_000)
  afterAll(() => project.remove())

  it('loads the addon for arm64: channels and untraced launches are native', () => {
    const { kind, pipe, socketpair, untraced } = everythingWorks('native')
    expect(seen.native).toMatchObject({ kind, pipe, socketpair, untraced })
  })

  it('rejects a traced launch with the error that the emulator answers ptrace with, and the step', () => {
    const refused = { error: 'ENOSYS', message: 'ENOSYS: function not implemented, ptrace (traceme)' }
    expect(seen.native).toMatchObject({
      traced: refused,
      piped: refused,
      failing: { code: 'ENOSYS', step: 'traceme' },
    })
  })

  it('simulates everything', () => {
    expect(seen.simulated).toEqual(everythingWorks('simulated'))
  })
})
