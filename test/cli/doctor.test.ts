import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Examination } from '../../lib/doctor/examine.ts'
import { processesFact } from '../../lib/doctor/limits.ts'
import { compileFixture, whyNoCompiler } from '../support/c-program.ts'
import { withInstalledPackage } from '../support/installed-package.ts'
import { whyNoNative } from '../support/native.ts'
import { main, tracegate } from './command.ts'

const run = promisify(execFile)
const isRoot = process.getuid?.() === 0

/** What a command prints and how it ends, whatever that is. */
async function outcome(
  file: string,
  args: readonly string[],
): Promise<{ status: number; stdout: string; stderr: string }> {
  try {
    return { status: 0, ...(await run(file, [...args])) }
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: number | string; stdout: string; stderr: string }
    if (typeof code !== 'number') throw error
    return { status: code, stdout, stderr }
  }
}

interface Examined extends Examination {
  readonly status: number
}

function parsed({ status, stdout }: { status: number; stdout: string }): Examined {
  return { status, ...(JSON.parse(stdout) as Examination) }
}

/** `tracegate doctor --json` with less than it would have (test/fixtures/restricted.c). */
async function examined(...restrictions: string[]): Promise<Examined> {
  const doctor = [process.execPath, main, 'doctor', '--json']
  const [file, ...args] =
    restrictions.length === 0 ? doctor : [compileFixture('restricted'), ...restrictions, '--', ...doctor]
  return parsed(await outcome(file!, args))
}

function fact({ facts }: Examination, name: string) {
  const found = facts.find(each => each.name === name)
  expect(found, `a fact named ${name}`).toBeDefined()
  return found!
}

const isTestable = whyNoNative === undefined && whyNoCompiler === undefined

describe.runIf(isTestable)(`tracegate doctor${isTestable ? '' : ` (skipped: ${whyNoNative ?? whyNoCompiler})`}`, () => {
  it('says what works, a line for each fact, and that launching does', async () => {
    const { status, stdout, stderr } = await tracegate('doctor')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^ok {4}kernel {9}Linux \S+$/m)
    expect(stdout).toMatch(/^ok {4}launch {9}a program was held before its first instruction, \d+ us after the start$/m)
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('Launching works here.')
  })

  it('tells programs the same, as one line of JSON', async () => {
    const { status, stdout } = await tracegate('doctor', '--json')
    expect(status).toBe(0)
    expect(stdout.trimEnd()).not.toContain('\n')
    const { ok, facts } = JSON.parse(stdout) as Examination
    expect(ok).toBe(true)
    expect(facts.map(({ name }) => name)).toEqual([
      ...['kernel', 'libc', 'addon', 'yama', 'seccomp', 'capabilities', 'descriptors', 'processes'],
      ...['shared memory', 'pidfd', 'traceme', 'seize', 'launch'],
    ])
    for (const each of facts) expect(each.cure === undefined, JSON.stringify(each)).toBe(each.status === 'ok')
  })

  it('finds every call answered where none is refused', async () => {
    const examination = await examined()
    for (const name of ['shared memory', 'pidfd', 'traceme', 'seize', 'launch', 'addon', 'descriptors']) {
      expect(fact(examination, name)).toMatchObject({ name, status: 'ok' })
    }
  })

  it.each([
    ['traceme', 'traceme', 'PTRACE_TRACEME'],
    ['seize', 'seize', 'EPERM: operation not permitted'],
  ])('fails where a filter refuses %s', async (call, name, text) => {
    const examination = await examined('--refuse', call)
    expect(examination).toMatchObject({ ok: false, status: 1 })
    expect(fact(examination, name)).toMatchObject({ status: 'fail', detail: expect.stringContaining(text) })
    expect(fact(examination, name).cure).toContain('seccomp')
    expect(fact(examination, 'seccomp')).toMatchObject({ status: 'warn', detail: expect.stringContaining('in force') })
  })

  it('says why a launch fails where the child cannot be traced', async () => {
    const examination = await examined('--refuse', 'traceme')
    expect(fact(examination, 'launch')).toMatchObject({
      status: 'fail',
      detail: 'EPERM: operation not permitted, ptrace (traceme)',
    })
  })

  it('warns where memory cannot be shared, and launching works all the same', async () => {
    const examination = await examined('--refuse', 'shared-clone')
    expect(examination).toMatchObject({ ok: true, status: 0 })
    expect(fact(examination, 'shared memory')).toMatchObject({
      status: 'warn',
      detail: expect.stringContaining('EPERM'),
    })
    expect(fact(examination, 'launch').status).toBe('ok')
  })

  it('warns where pidfd_open is refused', async () => {
    const examination = await examined('--refuse', 'pidfd_open')
    expect(examination.ok).toBe(true)
    expect(fact(examination, 'pidfd')).toMatchObject({ status: 'warn', detail: expect.stringContaining('EPERM') })
  })

  it('warns when few descriptors are left', async () => {
    expect(fact(await examined('--nofile', '60'), 'descriptors')).toMatchObject({
      status: 'warn',
      detail: expect.stringMatching(/^\d+ in use of 60: /),
      cure: expect.stringContaining('ulimit -Hn'),
    })
  })

  it('warns when few processes are left, but not root, whom no limit holds', async () => {
    const { stdout: limits } = await run(compileFixture('restricted'), [
      '--nproc',
      '5',
      '--',
      'cat',
      '/proc/self/limits',
    ])
    expect(processesFact(limits, 4, false)).toMatchObject({
      status: 'warn',
      detail: expect.stringContaining('4 of this user, of 5'),
    })
    expect(processesFact(limits.replace(/^Max processes.*$/m, 'Max processes 5 5000'), 4, false).cure).toBe(
      'ulimit -u 5000',
    )
    expect(processesFact(limits, 5, true)).toMatchObject({ status: 'ok', detail: expect.stringContaining('root') })
  })

  it.runIf(isRoot)('says whether CAP_SYS_PTRACE is there, and warns when root has lost it', async () => {
    expect(fact(await examined(), 'capabilities')).toMatchObject({
      status: 'ok',
      detail: expect.stringMatching(/^CAP_SYS_PTRACE/),
    })
    expect(fact(await examined('--drop-sys-ptrace'), 'capabilities')).toMatchObject({
      status: 'warn',
      detail: expect.stringMatching(/^without CAP_SYS_PTRACE/),
      cure: expect.stringContaining('SYS_PTRACE'),
    })
  })

  it.runIf(isRoot).each([
    ['0', 'ok'],
    ['1', 'warn'],
    ['2', 'warn'],
    ['3', 'warn'],
  ])('reads Yama: ptrace_scope %s is %s', async (scope, expected) => {
    const setup = `mount -t tmpfs none /proc/sys/kernel && mkdir /proc/sys/kernel/yama && echo ${scope} > /proc/sys/kernel/yama/ptrace_scope`
    const script = `${setup} && exec "$@"`
    const result = await outcome('unshare', [
      '-m',
      'sh',
      '-c',
      script,
      'sh',
      process.execPath,
      main,
      'doctor',
      '--json',
    ])
    expect(fact(parsed(result), 'yama')).toMatchObject({
      status: expected,
      detail: expect.stringMatching(`^ptrace_scope is ${scope}: `),
    })
  })

  it.runIf(isRoot)('says of a kernel without Yama that nothing is in the way', async () => {
    const script = 'mount -t tmpfs none /proc/sys/kernel && exec "$@"'
    const result = await outcome('unshare', [
      '-m',
      'sh',
      '-c',
      script,
      'sh',
      process.execPath,
      main,
      'doctor',
      '--json',
    ])
    expect(fact(parsed(result), 'yama')).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('not in this kernel'),
    })
  })
})

describe('tracegate doctor without an addon', () => {
  it('fails, with every cause and the command that builds it', async () => {
    await withInstalledPackage(async ({ installed }) => {
      const command = `${installed}/dist/cli/main.js`
      const examination = parsed(await outcome(process.execPath, [command, 'doctor', '--json']))
      expect(examination).toMatchObject({ ok: false, status: 1 })
      const { status, detail, cure } = fact(examination, 'addon')
      expect(status).toBe('fail')
      expect(detail).toContain(`there is no ${installed}/build/Release/tracegate.node`)
      expect(detail).toContain(`there is no ${installed}/prebuilds/`)
      expect(cure).toMatch(/node-gyp rebuild --directory=/)
      expect(examination.facts.some(({ name }) => name === 'launch')).toBe(false)
      const { stdout } = await outcome(process.execPath, [command, 'doctor'])
      expect(stdout).toMatch(/\nLaunching does not work here\.\n$/)
    })
  })
})

describe('tracegate doctor', () => {
  it.each([
    [['--jsn'], "unknown option '--jsn'"],
    [['now'], "unexpected argument 'now'"],
  ])('refuses %j', async (words, message) => {
    const { status, stdout, stderr } = await tracegate('doctor', ...words)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toBe(`tracegate: ${message} (see tracegate --help)\n`)
  })
})
