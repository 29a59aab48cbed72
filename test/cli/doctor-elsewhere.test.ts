import { describe, expect, it } from 'vitest'
import { withInstalledPackage } from '../support/installed-package.ts'
import { main, tracegate } from './command.ts'
import { fact, outcome, parsed } from './examined.ts'

describe('tracegate doctor without an addon', () => {
  it('fails, with every cause and the command that builds it', async () => {
    await withInstalledPackage(async ({ installed }) => {
      const command = `${installed}/dist/cli/main.js`
      const examination = parsed(await outcome(process.execPath, [command, 'doctor', '--json']))
      expect(examination).toMatchObject({ ok: false, status: 1 })
      const { status, detail, cure } = fact(examination, 'addon')
      expect(status).toBe('fail')
      expect(detail).toContain(`there is no ${installed}/src/build/Release/tracegate.node`)
      expect(detail).toContain(`there is no ${installed}/prebuilds/`)
      expect(cure).toMatch(/node-gyp rebuild --directory=/)
      for (const name of ['shared memory', 'pidfd', 'traceme', 'seize', 'debug registers', 'launch']) {
        expect(fact(examination, name)).toMatchObject({ status: 'warn', detail: expect.stringContaining('not tried') })
      }
      const { stdout } = await outcome(process.execPath, [command, 'doctor'])
      expect(stdout).toMatch(/\nLaunching does not work here\.\n$/)
    })
  })
})

describe('tracegate doctor on another platform', () => {
  it('fails, and says that it needs Linux', async () => {
    const elsewhere = `data:text/javascript,Object.defineProperty(process, 'platform', { value: 'darwin' })`
    const result = await outcome(process.execPath, ['--import', elsewhere, main, 'doctor', '--json'])
    expect(result.stderr).toBe('')
    const { ok, status, facts } = parsed(result)
    expect({ ok, status }).toEqual({ ok: false, status: 1 })
    expect(facts.map(each => [each.name, each.status])).toEqual([
      ['kernel', 'fail'],
      ['addon', 'fail'],
    ])
    expect(facts[1]!.detail).toContain('the native system needs Linux; this is darwin')
  })
})

describe('tracegate doctor', () => {
  it.each([
    [['--jsn'], "unknown option '--jsn': did you mean '--json'?"],
    [['now'], "unexpected argument 'now'"],
  ])('refuses %j', async (words, message) => {
    const { status, stdout, stderr } = await tracegate('doctor', ...words)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toBe(`tracegate: ${message} (see tracegate --help)\n`)
  })
})
