import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Examination } from '../../lib/doctor/examine.ts'
import { processesFact } from '../../lib/doctor/limits.ts'
import { whyNoDeadRegisters, whyNoDebugRegisters } from '../launch/support/debug-registers.ts'
import { compileFixture, whyNoCompiler } from '../support/c-program.ts'
import { whyNoNative } from '../support/native.ts'
import { main, processesWith, tracegate } from './command.ts'
import { type Examined, fact, outcome, parsed } from './examined.ts'

const run = promisify(execFile)
const isRoot = process.getuid?.() === 0

/** `tracegate doctor --json` under restrictions (test/fixtures/restricted.c). */
async function examined(...restrictions: string[]): Promise<Examined> {
  const doctor = [process.execPath, main, 'doctor', '--json']
  const [file, ...args] =
    restrictions.length === 0 ? doctor : [compileFixture('restricted'), ...restrictions, '--', ...doctor]
  return parsed(await outcome(file!, args))
}

/** A user without other processes, so that parallel tests do not affect the count. */
const asOtherUser = ['setpriv', '--reuid=54377', '--regid=54377', '--clear-groups']

/** The reason why a command fails here, or undefined. */
function whyNot(file: string, ...args: string[]): string | undefined {
  const { status, error, stderr } = spawnSync(file, args, { encoding: 'utf8' })
  return status === 0 ? undefined : `${file}: ${error?.message ?? stderr.trim().split('\n')[0]}`
}

const whyNoOtherUser = whyNot(asOtherUser[0]!, ...asOtherUser.slice(1), process.execPath, main, '--version')
const whyNoMounts = whyNot('unshare', '-m', 'mount', '-t', 'tmpfs', 'none', '/proc/sys/kernel')

const isTestable = whyNoNative === undefined && whyNoCompiler === undefined

describe.runIf(isTestable)(`tracegate doctor${isTestable ? '' : ` (skipped: ${whyNoNative ?? whyNoCompiler})`}`, () => {
  it('says what works, a line for each fact, and that launching does', async () => {
    const { status, stdout, stderr } = await tracegate('doctor')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^ok {4}kernel {11}Linux \S+$/m)
    expect(stdout).toMatch(
      /^ok {4}launch {11}a program was held before its first instruction, \d+ us after the start$/m,
    )
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('Launching works here.')
  })

  it('prints the same facts for programs, as one line of JSON', async () => {
    const { status, stdout } = await tracegate('doctor', '--json')
    expect(status).toBe(0)
    expect(stdout.trimEnd()).not.toContain('\n')
    const { ok, facts } = JSON.parse(stdout) as Examination
    expect(ok).toBe(true)
    expect(facts.map(({ name }) => name)).toEqual([
      ...['kernel', 'libc', 'addon', 'yama', 'seccomp', 'capabilities', 'descriptors', 'processes'],
      ...['shared memory', 'pidfd', 'traceme', 'seize', 'debug registers', 'launch'],
    ])
    for (const each of facts) expect(each.cure === undefined, JSON.stringify(each)).toBe(each.status === 'ok')
  })

  it('finds every call answered where none is refused', async () => {
    const examination = await examined()
    for (const name of ['shared memory', 'pidfd', 'traceme', 'seize', 'launch', 'addon', 'descriptors']) {
      expect(fact(examination, name)).toMatchObject({ name, status: 'ok' })
    }
  })

  it('fails where a filter refuses ptrace, with the errno', async () => {
    const examination = await examined('--errno', '38', '--refuse', 'ptrace')
    expect(examination).toMatchObject({ ok: false, status: 1 })
    expect(fact(examination, 'traceme')).toMatchObject({
      status: 'fail',
      detail: 'ENOSYS: function not implemented, ptrace (traceme)',
      cure: expect.stringContaining('seccomp'),
    })
    expect(fact(examination, 'seccomp')).toMatchObject({ status: 'warn', detail: expect.stringMatching(/^mode 2: /) })
  })

  it.each([
    ['PTRACE_TRACEME is answered and not done', ['--errno', '0', '--refuse', 'traceme'], 'ESRCH'],
    ['PTRACE_CONT is refused', ['--refuse', 'cont'], 'EPERM'],
  ])('fails where %s, and leaves no child stopped', async (_, restrictions, code) => {
    // A child that shares the doctor's memory, or copies it, has the doctor's command line.
    const mark = `doctor-${process.pid}-${performance.now()}`
    const doctor = [process.execPath, `--title=${mark}`, main, 'doctor', '--json']
    const examination = parsed(await outcome(compileFixture('restricted'), [...restrictions, '--', ...doctor]))
    expect(examination).toMatchObject({ ok: false, status: 1 })
    expect(fact(examination, 'traceme')).toMatchObject({ status: 'fail', detail: expect.stringContaining(code) })
    expect(fact(examination, 'launch').status).toBe('fail')
    expect(processesWith(mark)).toEqual([])
  })

  it.each([
    ['1', 'EPERM'],
    ['0', 'ESRCH'],
  ])('warns where PTRACE_SEIZE is refused, by errno %s: launching does without', async (errno, code) => {
    const examination = await examined('--errno', errno, '--refuse', 'seize')
    expect(examination).toMatchObject({ ok: true, status: 0 })
    expect(fact(examination, 'seize')).toMatchObject({ status: 'warn', detail: expect.stringContaining(code) })
    expect(fact(examination, 'launch').status).toBe('ok')
  })

  it.skipIf(whyNoDebugRegisters !== undefined && whyNoDeadRegisters !== undefined)(
    'says whether debug registers fire, which launching does without',
    async () => {
      const examination = await examined()
      expect(examination).toMatchObject({ ok: true, status: 0 })
      const firing = { status: 'ok', detail: 'they fire: watch() works' }
      const dead = {
        status: 'warn',
        detail: expect.stringMatching(/never fire: watch\(\) is refused/),
        cure: expect.stringContaining('breakpoint()'),
      }
      expect(fact(examination, 'debug registers')).toMatchObject(whyNoDebugRegisters === undefined ? firing : dead)
    },
  )

  it('does not know of debug registers where the child cannot be traced', async () => {
    const examination = await examined('--refuse', 'traceme')
    expect(fact(examination, 'debug registers')).toMatchObject({
      status: 'warn',
      detail: expect.stringContaining('ended'),
    })
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

  it.each([
    ['1', 'EPERM'],
    ['38', 'ENOSYS'],
  ])('warns where pidfd_open fails with errno %s', async (errno, code) => {
    const examination = await examined('--errno', errno, '--refuse', 'pidfd_open')
    expect(examination.ok).toBe(true)
    expect(fact(examination, 'pidfd')).toMatchObject({ status: 'warn', detail: expect.stringContaining(code) })
  })

  it('says which limit is in the way where no process can be made', async () => {
    const examination = await examined('--errno', '11', '--refuse', 'shared-clone')
    expect(examination).toMatchObject({ ok: false, status: 1 })
    for (const name of ['shared memory', 'traceme', 'seize', 'launch']) {
      expect(fact(examination, name)).toMatchObject({
        detail: expect.stringContaining('EAGAIN'),
        cure: expect.stringContaining('ulimit -u'),
      })
    }
  })

  it('warns when few descriptors are left', async () => {
    expect(fact(await examined('--nofile', '60'), 'descriptors')).toMatchObject({
      status: 'warn',
      detail: expect.stringMatching(/^\d+ in use of 60: /),
      cure: expect.stringContaining('ulimit -Hn'),
    })
  })

  it('needs few descriptors itself: its modules are few files', async () => {
    const examination = await examined('--nofile', '30')
    expect(examination).toMatchObject({ ok: true, status: 0 })
    expect(fact(examination, 'launch').status).toBe('ok')
    expect(fact(examination, 'descriptors').status).toBe('warn')
  })

  it('warns an ordinary user when few processes are left; no such limit applies to root', async () => {
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

  it.for([
    [20, 'warn'],
    [4000, 'ok'],
  ] as const)('counts the processes of a user with a limit of %i', async ([most, expected], context) => {
    if (whyNoOtherUser !== undefined) context.skip(whyNoOtherUser)
    const limited = [...asOtherUser, compileFixture('restricted'), '--nproc', `${most}`, '--', process.execPath, main]
    const result = await outcome(limited[0]!, [...limited.slice(1), 'doctor', '--json'])
    expect(fact(parsed(result), 'processes')).toMatchObject({
      status: expected,
      detail: expect.stringMatching(`^\\d+ of this user, of ${most}`),
    })
  })

  it('says of an ordinary user without CAP_SYS_PTRACE that launching needs none', async context => {
    if (whyNoOtherUser !== undefined) context.skip(whyNoOtherUser)
    const result = await outcome(asOtherUser[0]!, [...asOtherUser.slice(1), process.execPath, main, 'doctor', '--json'])
    expect(fact(parsed(result), 'capabilities')).toMatchObject({
      status: 'ok',
      detail: expect.stringMatching(/^without CAP_SYS_PTRACE/),
    })
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

  it('says that capabilities of a user namespace do not reach beyond it', async context => {
    const confined = ['unshare', '--user', '--map-root-user', process.execPath, main]
    const whyNoNamespace = whyNot(confined[0]!, ...confined.slice(1), '--version')
    if (whyNoNamespace !== undefined) context.skip(whyNoNamespace)
    const result = await outcome(confined[0]!, [...confined.slice(1), 'doctor', '--json'])
    expect(fact(parsed(result), 'capabilities').detail).toContain('in this user namespace')
  })

  it.each([
    ['simulated', { ok: true, status: 0 }, 'warn', 'launches are simulated'],
    ['real', { ok: false, status: 1 }, 'fail', "TRACEGATE_SYSTEM is 'real'"],
  ])('says what TRACEGATE_SYSTEM=%s does to launches', async (value, expected, status, detail) => {
    const examination = parsed(
      await outcome('env', [`TRACEGATE_SYSTEM=${value}`, process.execPath, main, 'doctor', '--json']),
    )
    expect(examination).toMatchObject(expected)
    expect(fact(examination, 'system')).toMatchObject({
      status,
      detail: expect.stringContaining(detail),
      cure: expect.any(String),
    })
  })

  /** Replaces /proc/sys/kernel by a folder that `setup` fills. */
  async function withOtherSettings(setup: string): Promise<Examined> {
    const script = `mount -t tmpfs none /proc/sys/kernel && ${setup} && exec "$@"`
    const command = [process.execPath, main, 'doctor', '--json']
    return parsed(await outcome('unshare', ['-m', 'sh', '-c', script, 'sh', ...command]))
  }

  it.for([
    ['0', 'ok', 'any process'],
    ['1', 'warn', 'launch() works'],
    ['2', 'warn', 'CAP_SYS_PTRACE'],
    ['3', 'warn', 'next boot'],
    ['7', 'warn', 'not known'],
  ] as const)('reads Yama: ptrace_scope %s', async ([scope, status, meaning], context) => {
    if (whyNoMounts !== undefined) context.skip(whyNoMounts)
    const yama = '/proc/sys/kernel/yama'
    const found = fact(await withOtherSettings(`mkdir ${yama} && echo ${scope} > ${yama}/ptrace_scope`), 'yama')
    expect(found).toMatchObject({ status, detail: expect.stringMatching(`^ptrace_scope is ${scope}: `) })
    expect(found.detail).toContain(meaning)
  })

  it('does not know of Yama where /proc has no settings', async context => {
    const mount = ['-m', 'mount', '-t', 'proc', '-o', 'subset=pid', 'proc', '/proc']
    const whyNoSubset = whyNot('unshare', ...mount)
    if (whyNoSubset !== undefined) context.skip(whyNoSubset)
    const script = 'mount -t proc -o subset=pid proc /proc && exec "$@"'
    const command = [process.execPath, main, 'doctor', '--json']
    const examination = parsed(await outcome('unshare', ['-m', 'sh', '-c', script, 'sh', ...command]))
    expect(fact(examination, 'yama')).toMatchObject({ status: 'warn', detail: expect.stringContaining('unknown') })
  })

  it('says of a kernel without Yama that nothing is in the way', async context => {
    if (whyNoMounts !== undefined) context.skip(whyNoMounts)
    expect(fact(await withOtherSettings('true'), 'yama')).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('not in this kernel'),
    })
  })

  it('says without /proc that it is not mounted', async context => {
    if (whyNoMounts !== undefined) context.skip(whyNoMounts)
    const script = 'mount -t tmpfs none /proc && exec "$@"'
    const command = [process.execPath, main, 'doctor', '--json']
    const examination = parsed(await outcome('unshare', ['-m', 'sh', '-c', script, 'sh', ...command]))
    expect(fact(examination, 'proc')).toMatchObject({ status: 'warn', cure: expect.stringContaining('mount') })
  })

  it('says of the /proc of another pid namespace that it is one', async context => {
    const whyNoNamespace = whyNot('unshare', '--pid', '--fork', 'true')
    if (whyNoNamespace !== undefined) context.skip(whyNoNamespace)
    const command = [process.execPath, main, 'doctor', '--json']
    const examination = parsed(await outcome('unshare', ['--pid', '--fork', ...command]))
    expect(fact(examination, 'proc')).toMatchObject({ status: 'warn', detail: expect.stringContaining('namespace') })
  })

  it('has no colours, and one margin', async () => {
    const { stdout } = await tracegate('doctor')
    expect(stdout).not.toContain('\x1b')
    const lines = stdout.split('\n').slice(0, -3)
    for (const line of lines) expect(line).toMatch(/^(?:(?:ok {2}|warn|fail) {2}[a-z ]{15}| {21}) {2}\S/)
  })

  it('names the addon that it has loaded', async () => {
    const { detail } = fact(await examined(), 'addon')
    expect(existsSync(detail.split(', for ')[0]!), detail).toBe(true)
  })
})
