/** Seccomp filters of launched programs. */

import { constants } from 'node:os'
import { expect, it } from 'vitest'
import { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'
import { hasCapability } from '../support/capabilities.ts'
import { modes, optionsOf } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { asNobody, runNode, whyNoOrdinaryUser } from '../support/node.ts'
import { allow, failWith, filterOf, instructions, killProcess } from '../support/seccomp.ts'
import { textOf } from '../support/streams.ts'

const { EPERM, ENOSYS } = constants.errno

describeNative('a seccomp filter', () => {
  async function outputOf(command: string, options: LaunchOptions) {
    await using child = await launch('/bin/sh', ['-c', command], { noNewPrivileges: true, ...options })
    const output = textOf(child.stdout)
    const errors = textOf(child.stderr)
    if (child instanceof Tracee) void child.run()
    return { output: (await output).trim(), errors: (await errors).trim(), exit: await child.exited }
  }

  it.each(modes)('is in force in the program, and lets through what it allows ($name)', async mode => {
    const seccomp = filterOf(['uname'], failWith(EPERM))
    const { output, exit } = await outputOf('grep ^Seccomp: /proc/self/status; uname -s || echo refused', {
      ...optionsOf(mode),
      seccomp,
    })
    expect(output.split('\n')).toEqual(['Seccomp:\t2', 'refused'])
    expect(exit).toMatchObject({ code: 0 })
  })

  it.each(modes)('sees of the launch only the execve: what it refuses besides does not matter ($name)', async mode => {
    const seccomp = filterOf(['rt_sigprocmask', 'getppid', 'mount', 'socket'], killProcess)
    const options = {
      ...optionsOf(mode),
      seccomp,
      signalMask: ['SIGUSR1'] as const,
      parentDeathSignal: 'SIGTERM' as const,
    }
    await using child = await launch('/bin/cat', ['/proc/self/status'], { noNewPrivileges: true, ...options })
    const status = textOf(child.stdout)
    if (child instanceof Tracee) void child.run()
    expect(await status).toContain('SigBlk:\t0000000000000200')
    expect(await child.exited).toMatchObject({ code: 0 })
  })

  it.each(modes)('that refuses the execve fails the launch with its errno ($name)', async mode => {
    const seccomp = filterOf(['execve'], failWith(ENOSYS))
    const refused = launch('/bin/true', [], { ...optionsOf(mode), seccomp, noNewPrivileges: true })
    await expect(refused).rejects.toMatchObject({ code: 'ENOSYS', step: 'execve' })
  })

  it.each(modes)('that kills at the execve is told of by the signal ($name)', async mode => {
    const seccomp = filterOf(['execve'], killProcess)
    const killed = launch('/bin/true', [], { ...optionsOf(mode), seccomp, noNewPrivileges: true })
    await expect(killed).rejects.toMatchObject({ code: 'ERR_CHILD_DIED', message: expect.stringContaining('SIGSYS') })
  })

  it.each([
    ['a code that there is not', [[0xffff, 0, 0, 0]], 'instruction 0 of the filter has code 0xffff'],
    ['no return at its end', [[0x20, 0, 0, 0]], 'the last instruction of the filter is no return'],
    [
      'a load beyond the data',
      [
        [0x20, 0, 0, 64],
        [6, 0, 0, allow],
      ],
      'instruction 0 of the filter loads from 64',
    ],
    [
      'a load between fields',
      [
        [0x20, 0, 0, 2],
        [6, 0, 0, allow],
      ],
      'instruction 0 of the filter loads from 2',
    ],
    [
      'a jump past its end',
      [
        [5, 0, 0, 1],
        [6, 0, 0, allow],
      ],
      'instruction 0 of the filter jumps past the end',
    ],
    [
      'a conditional jump past its end',
      [
        [0x15, 0, 1, 1],
        [6, 0, 0, allow],
      ],
      'instruction 0 of the filter jumps',
    ],
    [
      'a division by 0',
      [
        [0x34, 0, 0, 0],
        [6, 0, 0, allow],
      ],
      'instruction 0 of the filter divides by 0',
    ],
    [
      'a memory word that there is not',
      [
        [0x60, 0, 0, 16],
        [6, 0, 0, allow],
      ],
      'instruction 0 of the filter uses memory',
    ],
    [
      'a shift by too much',
      [
        [0x64, 0, 0, 32],
        [6, 0, 0, allow],
      ],
      'instruction 0 of the filter shifts by 32',
    ],
  ] as const)('with %s is refused, and the message says where', async (_, list, message) => {
    const refused = launch('/bin/true', [], { seccomp: instructions(...list), noNewPrivileges: true })
    await expect(refused).rejects.toMatchObject({
      code: 'EINVAL',
      step: 'seccomp',
      message: expect.stringContaining(message),
    })
  })

  it.runIf(hasCapability('CAP_SYS_ADMIN'))('needs no noNewPrivileges with CAP_SYS_ADMIN', async () => {
    const { output } = await outputOf('grep ^NoNewPrivs: /proc/self/status', {
      seccomp: filterOf(['uname'], failWith(EPERM)),
      noNewPrivileges: false,
    })
    expect(output).toBe('NoNewPrivs:\t0')
  })

  it.skipIf(whyNoOrdinaryUser !== undefined)(
    'of an ordinary user without noNewPrivileges is refused by name',
    async () => {
      const { reports, stderr } = await runNode(
        `const seccomp = Uint8Array.of(6, 0, 0, 0, 0, 0, 0xff, 0x7f)
      report(await outcome(launch('/bin/true', [], { seccomp })))
      report(await outcome(launch('/bin/true', [], { seccomp, noNewPrivileges: true, trace: false }).then(child => child.exited).then(({ code }) => code)))`,
        asNobody === undefined ? {} : { behind: asNobody },
      )
      expect(reports, stderr).toEqual([
        expect.objectContaining({
          code: 'EACCES',
          step: 'seccomp',
          message: expect.stringContaining('noNewPrivileges: true'),
        }),
        { value: 0 },
      ])
    },
  )
})
