import { describe, expect, it } from 'vitest'
import { command } from '../../lib/cli/command.ts'
import { printable } from '../../lib/cli/printable.ts'
import { UsageError } from '../../lib/cli/usage.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { rejection } from '../contract/helpers.ts'
import { tracegate } from './command.ts'
import { refusals, refusesAsCommand } from './refusals.ts'

describe('tracegate', () => {
  it.each([['--help'], ['-h'], ['help']])('prints its help: %s', async option => {
    const { status, stdout, stderr } = await tracegate(option)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    for (const word of ['run', 'hold', 'with', 'explore', 'doctor']) expect(stdout).toContain(`\n  ${word} `)
  })

  it.each([
    [
      ['run', '--help'],
      'run',
      [
        '--timeline',
        '--json',
        '--output',
        '--simulate',
        '--cwd',
        '--env',
        '--uid',
        '--rlimit',
        '--no-aslr',
        '--new-session',
      ],
    ],
    [['run', '--json', '-h'], 'run', ['--timeline']],
    [['help', 'run'], 'run', ['--timeline']],
    [['hold', '--help', '--', 'x'], 'hold', ['--detach', '--pid-file', '--report', '--tracer', '--timeout']],
    [
      ['with', 'gdb', '--help'],
      'with',
      ['--hold', '--match', '--release', '--kill', 'strace', 'perf record', 'prlimit'],
    ],
    [['explore', '--help'], 'explore', ['--svg', '--json']],
    [['explore', '--json', '-h'], 'explore', ['--svg']],
    [['doctor', '--help'], 'doctor', ['--json']],
  ])('prints the help of one command alone: %j', async (args, name, options) => {
    const { status, stdout, stderr } = await tracegate(...args)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`^Usage: tracegate ${name} `))
    for (const option of options) expect(stdout).toMatch(new RegExp(`[ ,] ?${option}`))
    expect(stdout.match(/^Usage:/gm)).toHaveLength(1)
  })

  it("leaves a program's own --help to the program", async () => {
    for (const args of [
      ['run', '--simulate', '/bin/echo', '--help'],
      ['run', '--simulate', '--', '/bin/echo', '--help'],
    ])
      expect(await tracegate(...args)).toMatchObject({ status: 0, stdout: '--help\n' })
  })

  it.each(['--version', '-v', '-V'])('prints its version: %s', async option => {
    expect(await tracegate(option)).toMatchObject({ status: 0, stdout: `${packageJson.version}\n`, stderr: '' })
  })

  it.each(refusals)('refuses %j, and says why', async (args, why) => {
    const error = await rejection(command(args))
    expect(error).toBeInstanceOf(UsageError)
    expect(printable(error.message)).toContain(why)
  })

  // usage.long.test.ts has all of them.
  it.each(refusals.filter((_, index) => index % 16 === 0))('refuses %j as a command, too', refusesAsCommand)
})
