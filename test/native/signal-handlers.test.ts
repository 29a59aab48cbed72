import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { main } from '../cli/command.ts'
import { compileFixture, whyNoCompiler } from '../support/c-program.ts'
import { describeNative } from '../support/describe-native.ts'
import { tidyNative } from '../support/tidy.ts'

const run = promisify(execFile)
const [major = 0, minor = 0] = release().split('.').map(Number)
const clearsHandlers = major > 5 || (major === 5 && minor >= 5)

describeNative('the signal handlers of this process', () => {
  const system = tidyNative()
  const handler = () => {}
  beforeEach(() => {
    process.on('SIGUSR2', handler)
  })
  afterEach(() => {
    process.off('SIGUSR2', handler)
  })

  // In shared memory a handler would run in this process's memory.
  it.skipIf(!clearsHandlers)('are not a child’s, not even before its first action', () => {
    const [gate, gateOpener] = system.pipe2(constants.O_CLOEXEC)
    for (const memory of ['shared', 'copied'] as const) {
      for (let i = 0; i < 50; i++) {
        const pid = system.fork({ actions: [{ op: 'read', fd: gate, bytes: 1 }], memory })
        const [, handled] = /^SigCgt:\s*(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? []
        system.kill(pid, 'SIGKILL')
        system.waitpid(pid)
        expect(handled).toBe('0000000000000000')
      }
    }
    system.close(gate)
    system.close(gateOpener)
  })
})

describe.skipIf(whyNoCompiler !== undefined)('a signal that this process was started with ignored', () => {
  // Node resets the standard signals, and leaves the real-time ones (34 and later) unchanged.
  it.each([[], ['--refuse', 'clone3']])('is at its default in the program that is launched %s', async (...refused) => {
    const ignored = [1, 34, 50, 64].flatMap(signal => ['--ignore', String(signal)])
    const own = await run(compileFixture('restricted'), [...ignored, '--', '/bin/cat', '/proc/self/status'])
    expect(own.stdout).toMatch(/^SigIgn:\s*8002000200000001$/m)
    const [file, ...args] = [compileFixture('restricted'), ...ignored, ...refused, '--', process.execPath, main]
    const { stdout } = await run(file, [...args, 'run', '--json', '--', '/bin/cat', '/proc/self/status'])
    expect(stdout).toMatch(/^SigIgn:\s*0{16}$/m)
  })
})

describe.skipIf(whyNoCompiler !== undefined)('where clone3 is not to be had', () => {
  it('children are started by clone, in shared memory', async () => {
    const [file, ...args] = [compileFixture('restricted'), '--refuse', 'clone3', '--', process.execPath, main]
    const { stdout } = await run(file, [...args, 'run', '--json', '--', '/bin/echo', 'hi'])
    expect(stdout).toBe('hi\n')
    const doctor = await run(file, [...args, 'doctor', '--json'])
    expect(JSON.parse(doctor.stdout)).toMatchObject({
      ok: true,
      facts: expect.arrayContaining([expect.objectContaining({ name: 'shared memory', status: 'ok' })]),
    })
  })
})
