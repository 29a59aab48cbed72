/** The options of `tracegate run` that set what the program starts with. */

import { expect, it } from 'vitest'
import { hasCapability } from '../launch/support/capabilities.ts'
import { describeNative } from '../support/describe-native.ts'
import { tracegate } from './command.ts'

async function outputOf(options: readonly string[], script: string): Promise<string[]> {
  const { status, stdout, stderr } = await tracegate('run', ...options, '--', '/bin/sh', '-c', script)
  expect({ status, stderr }).toMatchObject({ status: 0 })
  return stdout.trim().split('\n')
}

describeNative('tracegate run', () => {
  it('sets the folder and the environment', async () => {
    const options = ['--cwd', '/usr', '--env', 'A=1=2', '--env=EMPTY=', '--env', 'A=3']
    expect(await outputOf(options, 'pwd; echo "$A|$EMPTY|$PATH"')).toEqual(['/usr', `3||${process.env.PATH}`])
  })

  it('sets limits, also unlimited ones', async () => {
    const options = ['--rlimit', 'nofile=64', '--rlimit=core=0:0', '--rlimit', 'cpu=100:unlimited']
    const [nofile, hard, core, cpu, ...rest] = await outputOf(
      options,
      'ulimit -n; ulimit -Hn; ulimit -c; ulimit -t; ulimit -Ht',
    )
    expect([nofile, hard, core, cpu, rest]).toEqual(['64', '64', '0', '100', ['unlimited']])
  })

  it('has the same memory layout each time without ASLR', async () => {
    expect(await outputOf(['--no-aslr'], 'cat /proc/self/personality')).toEqual(['00040000'])
  })

  it('leads a session of its own', async () => {
    const [own, session] = (await outputOf(['--new-session'], 'echo $$; cut -d" " -f6 /proc/$$/stat')).map(Number)
    expect(session).toBe(own)
  })

  it.runIf(hasCapability('CAP_SETUID'))('is another user', async () => {
    expect(await outputOf(['--uid', '65534', '--gid=65534'], 'id -u; id -g; id -G')).toEqual([
      '65534',
      '65534',
      '65534',
    ])
  })

  it('says which setting fails', async () => {
    const { status, stderr } = await tracegate('run', '--rlimit', 'nofile=1099511627776', '--', '/bin/true')
    expect({ status, stderr }).toEqual({ status: 125, stderr: expect.stringContaining('EPERM') })
    expect(stderr).toContain('rlimits.nofile')
  })

  it('refuses what the simulated system has not', async () => {
    const { status, stderr } = await tracegate('run', '--simulate', '--uid', '5', '--', '/bin/true')
    expect(status).toBe(125)
    expect(stderr).toContain("'options.uid' is not simulated")
  })
})
