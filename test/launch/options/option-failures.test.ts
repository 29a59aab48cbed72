/** A setting that fails: its step is named, and everything is undone. */

import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'
import { modes, optionsOf } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'

const noProcess = 0x7fffffff

/** Options of which the last fails, whoever runs the test; each comes after all that a launch does before it. */
const failing: readonly (readonly [step: string, code: RegExp, options: LaunchOptions])[] = [
  ['cgroup', /^ENOENT$/, { cgroup: '/no/such/cgroup' }],
  ['processGroup', /^EPERM$/, { umask: 0o77, processGroup: noProcess }],
  ['controllingTerminal', /^EBADF$/, { controllingTerminal: 1_000_000 }],
  ['rlimits', /^EPERM$/, { nice: 19, rlimits: { core: 0, nofile: [64, 2 ** 40] } }],
  ['affinity', /^EINVAL$/, { rlimits: { nofile: 64 }, affinity: [8191] }],
  ['chroot', /^(ENOENT|EPERM)$/, { affinity: [0], aslr: false, chroot: '/no/such/folder' }],
  ['chdir', /^ENOENT$/, { umask: 0, rlimits: { nofile: 64 }, cwd: '/no/such/folder' }],
  ['seccomp', /^(EINVAL|EACCES)$/, { noNewPrivileges: true, umask: 0, seccomp: new Uint8Array(8) }],
]

describeNative('a launch', () => {
  it.each(
    failing.flatMap(([step, code, options]) => modes.map(mode => ({ step, code, options, mode, name: mode.name }))),
  )('whose $step fails says so, and is undone ($name)', async ({ step, code, options, mode }) => {
    for (const gate of [{}, { beforeExec: () => {} }]) {
      const refused = launch('/bin/true', [], { ...optionsOf(mode), ...gate, ...options })
      await expect(refused).rejects.toMatchObject({ name: 'SystemError', code: expect.stringMatching(code), step })
    }
  })

  it('whose limit fails names the limit', async () => {
    const refused = launch('/bin/true', [], { rlimits: { core: 0, nofile: 2 ** 40 } })
    await expect(refused).rejects.toThrow('setrlimit (rlimits): rlimits.nofile')
  })
})
