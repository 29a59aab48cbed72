/** The terminal of a launched program: its controlling terminal, and whose group has it. */

import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { openPty } from '../../../lib/launch/stdio/pty.ts'
import { hasCapability } from '../support/capabilities.ts'
import { describeNative } from '../support/native.ts'
import { type Ran, runNode, whyNot } from '../support/node.ts'
import { textOf } from '../support/streams.ts'

const obstacle = whyNot('python3')
const title = `the terminal of a launched program${obstacle === undefined ? '' : ` [skipped: ${obstacle}]`}`

/** Runs a script whose process leads a session on a terminal of its own. Its descriptor 3 is a second terminal. */
function runInTerminal(script: string): Promise<Ran> {
  const fixture = fileURLToPath(new URL('../../fixtures/in-terminal.py', import.meta.url))
  return runNode(
    `const tell = value => fs.writeSync(4, JSON.stringify(value) + '\\n')
    const stat = pid => { const text = fs.readFileSync('/proc/' + pid + '/stat', 'latin1'); const [state, parent, group, session, terminal, foreground] = text.slice(text.lastIndexOf(')') + 2).split(' '); return { state, group: +group, session: +session, terminal: +terminal, foreground: +foreground } }
    const until = async holds => { while (!holds()) await new Promise(resolve => setTimeout(resolve, 1)) }
    ${script}`,
    { behind: ['python3', fixture] },
  )
}

describeNative(title, system => {
  if (obstacle !== undefined) return it.skip('is looked at', () => {})

  it.each(['traceme', 'seize', false] as const)(
    'is the one that is asked for, in a session of its own (%s)',
    async trace => {
      const { reports, stderr } = await runInTerminal(`
      const own = stat(process.pid)
      const child = await launch('/bin/cat', [], { trace: ${JSON.stringify(trace)}, stdio: ['pipe', 'ignore', 'ignore'], controllingTerminal: 3, foreground: true })
      const { session, group, foreground, terminal } = stat(child.pid)
      tell([session, group, foreground].map(id => id === child.pid))
      tell(terminal !== 0 && terminal !== own.terminal)
      tell(stat(process.pid).foreground === own.foreground)
      await child[Symbol.asyncDispose]()
    `)
      expect(reports, stderr).toEqual([[true, true, true], true, true])
    },
  )

  it.each(['traceme', 'seize', false] as const)(
    'is had by the program’s group until its end, and then again by the parent’s (%s)',
    async trace => {
      const { reports, stderr } = await runInTerminal(`
      const own = stat(process.pid)
      const child = await launch('/bin/cat', [], { trace: ${JSON.stringify(trace)}, stdio: ['pipe', 'ignore', 'ignore'], foreground: true })
      tell([own.foreground === own.group, stat(process.pid).foreground === child.pid, stat(child.pid).group === child.pid])
      child.cont?.()
      child.stdin.end()
      await child.exited
      tell(stat(process.pid).foreground === own.group)
      `)
      expect(reports, stderr).toEqual([[true, true, true], true])
    },
  )

  it.each(['traceme', 'seize', false] as const)('is the parent’s again once the program stops (%s)', async trace => {
    const { reports, stderr } = await runInTerminal(`
      const child = await launch('/bin/cat', [], { trace: ${JSON.stringify(trace)}, stdio: ['pipe', 'ignore', 'ignore'], foreground: true })
      const running = child.run?.()
      tell(stat(process.pid).foreground === child.pid)
      child.kill('SIGTSTP')
      await until(() => stat(process.pid).foreground === process.pid)
      tell('again')
      child.kill('SIGCONT')
      child.stdin.end()
      await (running ?? child.exited)
    `)
    expect(reports, stderr).toEqual([true, 'again'])
  })

  it('is the parent’s again where the launch fails after it was given', async () => {
    const { reports, stderr } = await runInTerminal(`
      const error = await outcome(launch('/no/such/program', [], { foreground: true }))
      tell([error.step, stat(process.pid).foreground === process.pid])
    `)
    expect(reports, stderr).toEqual([['execve', true]])
  })

  it.each(['traceme', 'seize', false] as const)(
    'and its group are what is asked for, and the parent’s are the same afterwards (%s)',
    async trace => {
      const { reports, stderr } = await runInTerminal(`
      const own = stat(process.pid)
      const sets = [{}, { detached: true }, { processGroup: 0 }, { foreground: true }, { processGroup: 0, foreground: true },
        { controllingTerminal: 3 }, { controllingTerminal: 3, foreground: true, processGroup: 0, detached: true }]
      for (const memory of ['shared', 'copied']) {
        for (const gate of [{}, { beforeExec() {} }]) {
          for (const asked of sets) {
            const options = { trace: ${JSON.stringify(trace)}, memory, stdio: ['pipe', 'ignore', 'ignore'], ...gate, ...asked }
            const child = await launch('/bin/cat', [], options)
            const { session, group, terminal, foreground } = stat(child.pid)
            const leads = asked.detached === true || asked.controllingTerminal !== undefined
            const seen = [session === (leads ? child.pid : own.session),
              group === (leads || asked.processGroup === 0 || asked.foreground ? child.pid : own.group),
              asked.controllingTerminal === undefined ? terminal === (leads ? 0 : own.terminal) : ![0, own.terminal].includes(terminal),
              foreground === (asked.foreground || asked.controllingTerminal ? child.pid : leads ? -1 : own.foreground)]
            if (seen.includes(false)) tell([asked, seen])
            await child[Symbol.asyncDispose]()
            const failed = await outcome(launch('/no/such/program', [], options))
            if (failed.step !== 'execve') tell([asked, failed])
            const after = stat(process.pid)
            for (const name of ['group', 'session', 'terminal', 'foreground']) if (after[name] !== own[name]) tell([asked, name])
          }
        }
      }
      tell('done')
      `)
      expect(reports, stderr).toEqual(['done'])
    },
  )

  it('can be that of a shell with job control', async () => {
    const { reports, stderr } = await runInTerminal(`
      const shell = await launch('/bin/bash', ['-ic', 'set -o | grep monitor >&5'], {
        trace: false, controllingTerminal: 3, stdio: [3, 3, 3, 'ignore', 'ignore', 'pipe'] })
      let text = ''
      for await (const chunk of shell.stdio[5]) text += chunk
      tell([text.split(/\\s+/).slice(0, 2), (await shell.exited).code])
    `)
    expect(reports, stderr).toEqual([[['monitor', 'on'], 0]])
  })

  it('that another session has is refused', async () => {
    const { reports, stderr } = await runInTerminal(`
      const error = await outcome(launch('/bin/true', [], { controllingTerminal: 0 }))
      tell([error.step, error.code])
    `)
    expect(reports, stderr).toEqual([['controllingTerminal', 'EPERM']])
  })

  it.each(['shared', 'copied'] as const)('that is none, or not open, is refused (%s memory)', async memory => {
    const [readEnd, writeEnd] = system.pipe2(0)
    const noTerminal = launch('/bin/true', [], { memory, controllingTerminal: readEnd })
    await expect(noTerminal).rejects.toMatchObject({ step: 'controllingTerminal', code: 'ENOTTY' })
    for (const fd of [readEnd, writeEnd]) system.close(fd)
    const notOpen = launch('/bin/true', [], { memory, controllingTerminal: writeEnd })
    await expect(notOpen).rejects.toMatchObject({ step: 'controllingTerminal', code: 'EBADF' })
  })

  it.runIf(hasCapability('CAP_SETUID'))('is usable for another user, who has job control in it', async () => {
    const { master, slave } = openPty()
    const script = 'id -u; test -t 0 && echo terminal; echo opened >/dev/tty; set -m && sleep 0 & wait && echo jobs'
    const child = await launch('/bin/bash', ['-c', script], {
      trace: false,
      uid: 65_534,
      gid: 65_534,
      stdio: [slave, slave, slave],
      controllingTerminal: slave,
      foreground: true,
    })
    expect((await textOf(master)).trim().split(/\s+/)).toEqual(['65534', 'terminal', 'opened', 'jobs'])
    expect(await child.exited).toMatchObject({ code: 0 })
  })
})
