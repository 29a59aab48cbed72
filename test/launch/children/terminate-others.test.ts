/** terminate() where signals are not enough: another user's processes, another tracer, a child of another process. */

import { chmodSync, copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { compileFixture, whyNoCompiler } from '../../support/c-program.ts'
import { temporaryFolder } from '../support/compile.ts'
import { describeNative } from '../support/native.ts'
import { asNobody, runNode, whyNoOrdinaryUser } from '../support/node.ts'

const entry = new URL('../../../dist/index.js', import.meta.url).href

/** What the scripts have besides launch(). */
const kit = `
  const { attach } = await import(${JSON.stringify(entry)})
  const stateOf = pid => { try { return /^State:\\s+(\\S)/m.exec(fs.readFileSync('/proc/' + pid + '/status', 'latin1'))[1] } catch { return 'gone' } }
  const lives = pid => !'ZX gone'.includes(stateOf(pid))
  const gone = async pid => { while (lives(pid)) await new Promise(resolve => setTimeout(resolve, 1)); return true }
  const start = async (file, args, lines, options) => {
    const child = await launch(file, args, { trace: false, stdio: ['ignore', 'pipe', 'ignore'], ...options })
    let text = ''
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
      text += chunk
      if (text.split('\\n').length > lines) break
    }
    return [child, text.split('\\n')]
  }
  const ended = async (child, options) => {
    const begun = performance.now()
    const { value, code, message } = await outcome(child.terminate(options))
    return { took: performance.now() - begun, ...(value && { signal: value.signal }), ...(code && { code, message }) }
  }`

const obstacle =
  whyNoCompiler ?? whyNoOrdinaryUser ?? (asNobody === undefined ? 'only root makes set-user-ID programs' : undefined)

describeNative(`terminate of another user’s${obstacle === undefined ? '' : ` [skipped: ${obstacle}]`}`, () => {
  if (obstacle !== undefined) return it.skip('is tried', () => {})
  const folder = temporaryFolder()
  chmodSync(folder, 0o755)
  const program = join(folder, 'change-user')
  copyFileSync(compileFixture('change-user'), program)
  chmodSync(program, 0o4755)
  const run = (script: string) =>
    runNode(`const program = ${JSON.stringify(program)}${kit}\n${script}`, { behind: asNobody! })

  it('child rejects with EPERM at once, and leaves it and the event loop alone', async () => {
    const { reports, stderr, code } = await run(`
      const [child, [, changed]] = await start(program, ['1', 'now'], 2)
      child.stdout.unref()
      child.unref()
      const { took, ...rest } = await ended(child, { graceMs: 60_000 })
      report([changed, took < 60_000, rest.code, /another user/.test(rest.message), lives(child.pid)])
      report((await outcome(Promise.resolve().then(() => child.kill()))).code)`)
    expect({ reports, stderr, code }).toEqual({
      reports: [['changed', true, 'EPERM', true, true], 'EPERM'],
      stderr: '',
      code: 0,
    })
  })

  it('child that became it after the first signal rejects with EPERM after the grace', async () => {
    const { reports, stderr, code } = await run(`
      const [child] = await start(program, ['1', 'at-sigterm'], 1)
      child.stdout.unref()
      child.unref()
      const { took, ...rest } = await ended(child, { graceMs: 150 })
      report([took >= 149, rest.code, /another user/.test(rest.message), lives(child.pid)])`)
    expect({ reports, stderr, code }).toEqual({ reports: [[true, 'EPERM', true, true]], stderr: '', code: 0 })
  })

  it('leader ends its members, and rejects with EPERM', async () => {
    const { reports, stderr } = await run(`
      const [child, [member]] = await start(program, ['1', 'now', 'member'], 3, { detached: true })
      const { took, ...rest } = await ended(child, { graceMs: 100 })
      report([took >= 99, rest.code, lives(child.pid), await gone(Number(member))])
      process.exit()`)
    expect({ reports, stderr }).toEqual({ reports: [[true, 'EPERM', true, true]], stderr: '' })
  })

  it.each(['', 'trap "" TERM; '])('member is left, and the error says so: %j', async trap => {
    const { reports, stderr } = await run(`
      const [child, [member]] = await start('/bin/sh', ['-c', ${JSON.stringify(trap)} + program + ' 1 now & wait; wait'], 2, { detached: true })
      const { took, ...rest } = await ended(child, { graceMs: 100 })
      report([rest.code, /belong to another user/.test(rest.message), lives(child.pid), lives(Number(member))])
      report((await child.exited).signal)
      process.exit()`)
    const signal = trap === '' ? 'SIGTERM' : 'SIGKILL'
    expect({ reports, stderr }).toEqual({ reports: [['EPERM', true, false, true], signal], stderr: '' })
  })
})

describeNative('terminate', () => {
  const run = (script: string) => runNode(kit + script)

  it.each([0, 100])('kills a child that another process traces and has stopped, grace %i', async graceMs => {
    const { reports, stderr } = await run(`
      const child = await launch('/bin/sleep', ['1000'], { trace: false, stdio: 'ignore' })
      const script = 'import(' + ${JSON.stringify(JSON.stringify(entry))} + ').then(async ({ attach }) => { await attach(' + child.pid + '); console.log("held") })'
      const [tracer] = await start(process.execPath, ['-e', script + '; setInterval(() => {}, 1000)'], 1)
      report(stateOf(child.pid))
      const { took, ...rest } = await ended(child, { graceMs: ${graceMs} })
      report([took >= ${graceMs} - 1, rest])
      await tracer.terminate()`)
    expect({ reports, stderr }).toEqual({ reports: ['t', [true, { signal: 'SIGKILL' }]], stderr: '' })
  })

  it.each([
    ['stopAll', 'await tracee.stopAll()'],
    ['syscall', 'tracee.syscall(); await tracee.wait()'],
    ['a signal', "tracee.cont(); tracee.kill('SIGUSR1'); await tracee.wait()"],
    [
      'a group stop',
      "tracee.cont(); tracee.kill('SIGSTOP'); tracee.cont((await tracee.wait()).signal); await tracee.wait()",
    ],
  ])('ends a tracee at any stop, within its grace: %s', async (_, way) => {
    const { reports, stderr } = await run(`
      for (const trace of ['traceme', 'seize']) {
        if (${way.includes('stopAll')} && trace === 'traceme') continue
        const tracee = await launch('/bin/sleep', ['1000'], { trace, stdio: 'ignore' })
        ${way}
        const { took, ...rest } = await ended(tracee, { graceMs: 60_000 })
        report(took < 60_000 && rest.signal)
      }`)
    expect(stderr).toBe('')
    expect(new Set(reports)).toEqual(new Set([way.includes('SIGUSR1') ? 'SIGUSR1' : 'SIGTERM']))
  })

  it('sends nothing to the members of a group whose leader had ended before', async () => {
    const { reports, stderr } = await run(`
      const [child, [member]] = await start('/bin/sh', ['-c', 'sleep 1000 & echo $!'], 1, { detached: true })
      await child.exited
      report([await child.terminate(), lives(Number(member))])
      process.kill(Number(member), 'SIGKILL')`)
    expect({ reports, stderr }).toEqual({ reports: [[{ kind: 'exited', code: 0, signal: null }, true]], stderr: '' })
  })

  it('with no grace kills what ignores the signal at once, and with it the whole group', async () => {
    const { reports, stderr } = await run(`
      const [child, [member]] = await start('/bin/sh', ['-c', 'trap "" TERM; sleep 1000 & echo $!; wait'], 1, { detached: true })
      const { took, ...rest } = await ended(child, { graceMs: 0 })
      report([took < 5000, rest, lives(Number(member))])`)
    expect({ reports, stderr }).toEqual({ reports: [[true, { signal: 'SIGKILL' }, false]], stderr: '' })
  })

  it('in beforeExec settles where the launch is aborted meanwhile', async () => {
    const { reports, stderr } = await run(`
      for (const trace of ['traceme', 'seize', false]) {
        const aborter = new AbortController()
        let end
        const launching = launch('/bin/true', [], { trace, signal: aborter.signal, beforeExec(child) {
          end = child.terminate({ signal: 'SIGURG', graceMs: Infinity })
          aborter.abort(new Error('no more'))
          return end
        } })
        report([(await outcome(launching)).message, 'value' in (await outcome(end))])
      }
      report(childPids())`)
    expect({ reports, stderr }).toEqual({ reports: [...Array(3).fill(['no more', true]), []], stderr: '' })
  })
})

describeNative('terminate of a process that was attached to', () => {
  const run = (script: string, behind: readonly string[] = []) => runNode(kit + script, { behind })
  /** Attaches to what a shell has started in a process group of its own. */
  const attached = (inner: string) => `
    const script = ${JSON.stringify(`setsid sh -c '${inner}' & wait $!; exit 5`)}
    const [shell, [line]] = await start('/bin/sh', ['-c', script], 1)
    const [pid, member] = line.split(' ').map(Number)
    const tracee = await attach(pid)
    const told = ({ signal, code }) => signal ?? code`
  const sleeps = 'echo $$; exec sleep 1000'
  const deaf = 'trap "" TERM; echo $$; while :; do sleep 0.01; done'
  // Linux before 6.15 does not say how a process ended that another one has reaped.
  const toldLater = (signal: string) => expect.stringMatching(new RegExp(`^(${signal}|ECHILD)$`))

  it.each(['', 'await tracee.detach()'])('ends it, and its parent has its end: %j', async letGo => {
    const { reports, stderr } = await run(`${attached(sleeps)}
      ${letGo}
      report(told(await ended(tracee, { graceMs: 60_000 })))
      report([(await shell.exited).code, tracee.kill()])
      report(told(await ended(tracee)))`)
    const signal = letGo === '' ? 'SIGTERM' : toldLater('SIGTERM')
    expect({ reports, stderr }).toEqual({ reports: [signal, [5, false], signal], stderr: '' })
  })

  it.each(['', 'await tracee.detach()'])('kills it after the grace, and not before: %j', async letGo => {
    const { reports, stderr } = await run(`${attached(deaf)}
      ${letGo}
      const { took, ...rest } = await ended(tracee, { graceMs: 150 })
      report([took >= 149, told(rest), (await shell.exited).code])`)
    const signal = letGo === '' ? 'SIGKILL' : toldLater('SIGKILL')
    expect({ reports, stderr }).toEqual({ reports: [[true, signal, 5]], stderr: '' })
  })

  it('that leads a group and was let go ends all of it, where the kernel can name the group', async () => {
    const { reports, stderr } = await run(`${attached('sleep 1000 & echo $$ $!; wait')}
      await tracee.detach()
      const { code } = await ended(tracee, { group: true, graceMs: 60_000 })
      report([code, lives(member)])
      if (lives(member)) process.kill(member, 'SIGKILL'), process.kill(pid, 'SIGKILL')`)
    expect(stderr).toBe('')
    // Before Linux 6.9 it is refused, and nothing is sent.
    expect([
      [undefined, false],
      ['ECHILD', false],
      ['ERR_INVALID_ARG_VALUE', true],
    ]).toContainEqual([(reports[0] as unknown[])[0] ?? undefined, (reports[0] as unknown[])[1]])
  })

  it.skipIf(whyNoCompiler !== undefined)('alone is named where the kernel can name no group', async () => {
    const behind = [compileFixture('restricted'), '--errno', '22', '--refuse', 'pidfd-group-signal', '--']
    const { reports, stderr } = await run(
      `${attached('sleep 1000 & echo $$ $!; wait')}
      await tracee.detach()
      report((await ended(tracee, { group: true })).code)
      await ended(tracee, { graceMs: 60_000 })
      report([lives(pid), lives(member)])
      process.kill(member, 'SIGKILL')`,
      behind,
    )
    expect({ reports, stderr }).toEqual({ reports: ['ERR_INVALID_ARG_VALUE', [false, true]], stderr: '' })
  })
})
