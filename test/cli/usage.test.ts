import { describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { tracegate } from './command.ts'

describe('tracegate', () => {
  it('prints its help', async () => {
    for (const args of [['--help'], ['-h'], ['help'], ['run', '--help'], ['with', '--help']]) {
      const { status, stdout, stderr } = await tracegate(...args)
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      for (const word of ['run', 'hold', 'with', '--timeline', '--json', '--simulate', '--detach', '--continue']) {
        expect(stdout).toContain(word)
      }
    }
  })

  it('prints its version', async () => {
    expect(await tracegate('--version')).toMatchObject({ status: 0, stdout: `${packageJson.version}\n`, stderr: '' })
  })

  it.each([
    [[], 'missing command'],
    [['fly'], "unknown command 'fly'"],
    [['--fly'], "unknown command '--fly'"],
    [['toString'], "unknown command 'toString'"],
    [['run'], 'missing program'],
    [['run', '--'], 'missing program'],
    [['run', '--', ''], 'missing program'],
    [['run', '--fly', '--', '/bin/true'], "'--fly'"],
    [['run', '--json=yes', '--', '/bin/true'], '--json'],
    [['hold', '--json', '--', '/bin/true'], "'--json'"],
    [['with', '--', '/bin/true'], 'missing'],
    [['with', 'gdb', '--', '/bin/true'], '{pid}'],
    [['with', 'gdb -p {pid}'], 'missing program'],
    [['with', 'gdb -p {pid}', 'more', '--', '/bin/true'], "unexpected argument 'more'"],
  ])('refuses %j with exit status 2 and one line that says why', async (args, why) => {
    const { status, stdout, stderr } = await tracegate(...args)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/^tracegate: [^\n]*\n$/)
    expect(stderr).toContain(why)
  })
})
