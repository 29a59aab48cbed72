import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import module from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { main, startProgram } from './command.ts'

const nodeCaches = 'enableCompileCache' in module

describe('the compile cache of the command', () => {
  let home = ''
  const cache = () => join(home, '.cache/tracegate')

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'tracegate-home-'))
  })

  afterEach(() => {
    rmSync(home, { recursive: true })
  })

  async function runCommand(env: NodeJS.ProcessEnv): Promise<void> {
    const { PATH } = process.env
    const { status, stderr } = await startProgram(process.execPath, [main, 'run', '--', '/bin/true'], {
      env: { PATH, ...env },
    }).finished
    expect({ status, stderr: stderr.includes('tracegate: /bin/true') }).toEqual({ status: 0, stderr: true })
  }

  it("is in the user's own cache folder, where Node has one", async () => {
    await runCommand({ HOME: home })
    expect(existsSync(join(cache(), 'compiled'))).toBe(nodeCaches)
  })

  it('is not used in a folder that others may write', async () => {
    mkdirSync(cache(), { recursive: true })
    chmodSync(cache(), 0o777)
    await runCommand({ HOME: home })
    expect(existsSync(join(cache(), 'compiled'))).toBe(false)
  })

  it.each([[{}], [{ HOME: '' }], [{ HOME: 'relative' }], [{ HOME: '/dev/null' }]])(
    'is not needed: the command works with the environment %j',
    async env => {
      await runCommand(env)
    },
  )
})
