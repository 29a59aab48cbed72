/** Launches where calls are refused, as by old kernels and by containers: what they come to is the same. */

import { expect, it } from 'vitest'
import { compileFixture } from '../../support/c-program.ts'
import { isLong } from '../../support/rounds.ts'
import { hasCapability } from '../support/capabilities.ts'
import { makeCgroups } from '../support/cgroups.ts'
import { whyNoCompiler } from '../support/compile.ts'
import { compileInside } from '../support/look-inside.ts'
import { describeNative } from '../support/native.ts'
import { type Ran, runNode, whyNot } from '../support/node.ts'
import { whyNoUserNamespace } from '../support/user-namespace.ts'

const obstacle = whyNoCompiler ?? whyNot('true')
const title = `a launch${obstacle === undefined ? '' : ` [skipped: ${obstacle}]`}`

const entry = new URL('../../../dist/index.js', import.meta.url).href
const cgroups = makeCgroups()

/** Sets of options, as code of a script. */
const sets = [
  '{}',
  '{ umask: 0o27, nice: 19, affinity: [0], aslr: false, rlimits: { nofile: [30, 40], core: 0 } }',
  '{ detached: true, signalMask: ["SIGINT"], ignoreSignals: ["SIGHUP"], parentDeathSignal: "SIGTERM" }',
  '{ processGroup: 0, oomScoreAdj: 1000 }',
  ...(whyNoUserNamespace === undefined
    ? [
        '{ namespaces: ["user", "pid", "net", "mnt", "uts", "ipc"], uidMap: [[5, process.getuid(), 1]], gidMap: [[6, process.getgid(), 1]] }',
        '{ namespaces: ["user", "pid"], uidMap: [[5, process.getuid(), 1]], uid: 5, parentDeathSignal: "SIGKILL" }',
      ]
    : []),
  ...(hasCapability('CAP_SETUID') ? ['{ uid: 65534, gid: 7, groups: [8, 9], nice: 3 }'] : []),
  ...(hasCapability('CAP_SYS_CHROOT') ? ['{ chroot: "/", cwd: "/usr" }'] : []),
  '{ controllingTerminal: terminal, foreground: true, seccomp: new Uint8Array([6, 0, 0, 0, 0, 0, 255, 127]) }',
  ...cgroups.map(({ path }) => `{ cgroup: ${JSON.stringify(path)} }`),
]

const script = (program: string) => `
  const fields = ['blocked', 'notDefault', 'umask', 'uids', 'gids', 'groups', 'limits', 'nice', 'oomScoreAdj', 'cpus', 'personality', 'noNewPrivileges', 'parentDeathSignal', 'uidMap', 'gidMap', 'cgroups', 'root', 'cwd']
  const [, terminal] = openSystem().openpty()
  const own = name => fs.readlinkSync('/proc/self/ns/' + name)
  for (const options of [${sets.join(', ')}]) {
    for (const trace of ['traceme', 'seize', false]) {
      for (const beforeExec of [undefined, () => {}]) {
        const child = await launch(${JSON.stringify(program)}, [], { trace, beforeExec, noNewPrivileges: true, ...options })
        let text = ''
        child.run?.()
        for await (const chunk of child.stdout) text += chunk
        const inside = JSON.parse(text)
        const seen = Object.fromEntries(fields.map(name => [name, inside[name]]))
        seen.descriptors = Object.keys(inside.descriptors)
        seen.namespaces = Object.keys(inside.namespaces).filter(name => inside.namespaces[name] !== own(name))
        seen.isLeader = [inside.group === inside.pid, inside.session === inside.pid, inside.parent === process.pid, inside.terminalGroup === inside.pid]
        report({ trace, seen, code: (await child.exited).code })
      }
    }
  }`

/** Attaches to a process that another one reaps, follows a tree, and ends a group that ignores SIGTERM. */
const tracing = `
  const { attach } = await import(${JSON.stringify(entry)})
  const status = (pid, name) => new RegExp('^' + name + ':\\\\s+(\\\\S+)', 'm').exec(fs.readFileSync('/proc/' + pid + '/status', 'latin1'))[1]
  const start = async (script, options) => {
    const child = await launch('/bin/sh', ['-c', script], { trace: false, stdio: ['ignore', 'pipe', 'ignore'], ...options })
    return [child, Number(await once(child.stdout, 'data'))]
  }
  {
    const [shell, pid] = await start('sleep 1000 & echo $!; wait $!; exit 5')
    for (let round = 0; round < 2; round++) {
      const tracee = await attach(pid)
      report([tracee.threads.size, tracee.tracing, tracee.registers().pc > 0n, status(pid, 'State')])
      await tracee.detach()
      report([status(pid, 'TracerPid')])
    }
    const tracee = await attach(pid, { follow: 'all' })
    const end = tracee.run()
    report([tracee.kill('SIGTERM'), (await end).signal, (await shell.exited).code, tracee.kill()])
  }
  {
    const tracee = await launch('/bin/sh', ['-c', '/bin/true; /bin/true & wait; exit 3'], { follow: 'all', stdio: 'ignore' })
    const events = []
    tracee.contAll()
    for await (const { thread, stop } of tracee.everyStop()) {
      events.push(stop.event ?? stop.signal)
      thread.cont(stop.event ? undefined : stop.signal)
    }
    report([events.filter(event => event === 'exec').length, (await tracee.exited).code])
  }
  for (const options of [{ trace: 'traceme' }, { trace: 'seize' }, { trace: false }, { trace: false, detached: true }]) {
    const child = await launch('/bin/sleep', ['1000'], { stdio: 'ignore', ...options })
    report([(await child.terminate()).signal, child.kill()])
  }
  for (const leader of ['trap "" TERM; ', '']) {
    const script = leader + "sh -c 'trap \\"\\" TERM; echo $$; while :; do sleep 0.01; done' & wait; wait; sleep 1000"
    const [child, member] = await start(script, { detached: true })
    report([(await child.terminate({ graceMs: 100 })).signal, /^[ZX]|gone/.test((() => { try { return status(member, 'State') } catch { return 'gone' } })())])
  }
  report(childPids())`
const traced = [
  ...[1, 2].flatMap(() => [[1, 'seize', true, 't'], ['0']]),
  [true, 'SIGTERM', 5, false],
  [3, 3],
  ...[1, 2, 3, 4].map(() => ['SIGTERM', false]),
  ['SIGKILL', true],
  ['SIGTERM', true],
  [],
]

describeNative(title, () => {
  if (obstacle !== undefined) return it.skip('is tried', () => {})
  const program = compileInside()
  const behind = (errno: number, ...refused: string[]) => [
    compileFixture('restricted'),
    ...['--errno', String(errno)],
    ...refused.flatMap(call => ['--refuse', call]),
    '--',
  ]
  const calls = ['clone3', 'close_range', 'pidfd_open', 'pidfd_send_signal', 'pidfd_getfd', 'shared-clone', 'waitid']
  // Old kernels answer ENOSYS, and containers EPERM for calls that they do not know.
  // In the quick run EPERM is that of all of them.
  const refusals = [38, 1].flatMap(errno =>
    [...(errno === 38 || isLong ? calls.map(call => [call]) : []), calls].map(refused => ({
      errno,
      refused,
      what: refused.length === 1 ? refused[0] : 'all of these',
    })),
  )
  const each = [...refusals, { errno: 38, refused: ['newer-calls'], what: 'all calls since Linux 5.1' }]

  let usual: Promise<Ran> | undefined
  it.each(each)('gives what is asked for where $what fail with errno $errno', async ({ errno, refused }) => {
    usual ??= runNode(script(program))
    const restricted = await runNode(script(program), { behind: behind(errno, ...refused) })
    expect((await usual).stderr).toBe('')
    expect(restricted.stderr).toBe('')
    expect((await usual).reports.length).toBe(sets.length * 6)
    expect(restricted.reports).toEqual((await usual).reports)
  })

  it.each(each)('can be traced and ended where $what fail with errno $errno', async ({ errno, refused }) => {
    const { reports, stderr } = await runNode(tracing, { behind: behind(errno, ...refused) })
    expect({ reports, stderr }).toEqual({ reports: traced, stderr: '' })
  })

  it.each([1, 38])('is not known to have ended once let go, where pidfd_open fails with errno %i', async errno => {
    const { reports, stderr } = await runNode(
      `const { attach } = await import(${JSON.stringify(entry)})
      const shell = await launch('/bin/sh', ['-c', 'sleep 1000 & echo $!; wait $!; exit 5'], { trace: false, stdio: ['ignore', 'pipe', 'ignore'] })
      const pid = Number(await once(shell.stdout, 'data'))
      const tracee = await attach(pid)
      await tracee.detach()
      const { code, message } = await outcome(tracee.exited)
      report([code, /there is no pidfd/.test(message), tracee.kill('SIGKILL')])
      process.kill(pid)
      report((await shell.exited).code)`,
      { behind: behind(errno, 'pidfd_open') },
    )
    expect({ reports, stderr }).toEqual({ reports: [['ECHILD', true, false], 5], stderr: '' })
  })

  it.each([1, 38])('says that ptrace is refused, however it would trace, where it fails with errno %i', async errno => {
    const code = errno === 1 ? 'EPERM' : 'ENOSYS'
    const { reports, stderr } = await runNode(
      `for (const options of [{}, { trace: 'seize' }, { follow: 'threads' }, { follow: 'all' }]) {
        const one = () => outcome(launch('/bin/true', [], { stdio: 'ignore', ...options }))
        const outcomes = await Promise.all(Array.from({ length: 20 }, one))
        report([...new Set(outcomes.map(({ code, step }) => code + ' ' + step))])
      }
      report(childPids())`,
      { behind: behind(errno, 'ptrace') },
    )
    // A refusal with EPERM alone may be that of a parent that is not dumpable, where 'traceme' works.
    const follows = errno === 1 ? 'traceme' : 'seize'
    expect({ reports, stderr }).toEqual({
      reports: [[`${code} traceme`], [`${code} seize`], [`${code} ${follows}`], [`${code} ${follows}`], []],
      stderr: '',
    })
  })

  it('whose ASLR cannot be turned off goes on, and warns once', async () => {
    const { reports, stderr } = await runNode(
      `let hooks = 0
      for (const trace of ['traceme', 'seize', false]) {
        const child = await launch(${JSON.stringify(program)}, [], { trace, aslr: false, umask: 0o27, beforeExec: () => void hooks++ })
        let text = ''
        child.run?.()
        for await (const chunk of child.stdout) text += chunk
        const { personality, umask } = JSON.parse(text)
        report([personality & 0x40000, umask, (await child.exited).code, hooks])
      }`,
      { behind: behind(38, 'fixed-layout') },
    )
    expect(reports).toEqual([
      [0, 0o27, 0, 1],
      [0, 0o27, 0, 2],
      [0, 0o27, 0, 3],
    ])
    expect(stderr.match(/TRACEGATE_ASLR_REFUSED/g)).toHaveLength(1)
    expect(stderr).toContain('aslr: false is refused here')
  })
})
