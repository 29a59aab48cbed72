/**
 * A /proc that numbers processes otherwise than this process does (a container that kept its host's, unshare -p), or
 * none at all: no other process is taken for one of ours, and what cannot be known is refused.
 */

import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { runNode, whyNot } from '../support/node.ts'

const entry = new URL('../../../dist/index.js', import.meta.url).href
const surroundings = {
  'the /proc of another pid namespace': ['unshare', '--pid', '--fork'],
  'no /proc': ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /proc && exec "$@"', 'sh'],
}

const whyNone =
  whyNot('unshare') ??
  whyNoCompiler ??
  (spawnSync('unshare', ['--pid', '--fork', '--mount', 'mount', '-t', 'tmpfs', 'none', '/proc']).status === 0
    ? undefined
    : 'namespaces need root')

describe.skipIf(whyNone !== undefined)(whyNone === undefined ? 'with' : `with (skipped: ${whyNone})`, () => {
  const folder = temporaryFolder()
  const threads = whyNone === undefined ? compile(folder, 'threads') : ''

  describe.each(Object.entries(surroundings))('%s', (_, behind) => {
    it('a program that leads a session is launched untraced, and ended', async () => {
      const ran = await runNode(
        `
          const child = await launch('/bin/sleep', ['1000'], { trace: false, detached: true, stdio: 'ignore' })
          report(await child.terminate())
        `,
        { behind },
      )
      expect(ran.reports, ran.stderr).toEqual([{ kind: 'signaled', code: null, signal: 'SIGTERM', coreDumped: false }])
    })

    it('terminate() ends a member of the group that lives on', async () => {
      const script = `
        const child = await launch('/bin/sh', ['-c', '(trap "" TERM; echo deaf; exec sleep 1000) & wait'], {
          trace: false,
          detached: true,
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        await once(child.stdout, 'data')
        const end = once(child.stdout, 'end') // the sleep has it, too
        await child.terminate({ graceMs: 20 }).catch(error => report(error.message))
        report(await end)
      `
      const ran = await runNode(script, { behind })
      expect(ran.reports.at(-1), ran.stderr).toEqual([])
    })

    it('attach() is refused, with the reason, before anything is seized', async () => {
      const ran = await runNode(
        `
          const { attach } = await import(${JSON.stringify(entry)})
          const parent = await launch('/bin/sh', ['-c', 'sleep 1000 & echo $!; wait; exit 3'], { trace: false })
          const pid = Number((await once(parent.stdout, 'data'))[0])
          report(await outcome(attach(pid)))
          process.kill(pid)
          report((await parent.exited).code)
        `,
        { behind },
      )
      const refused = { code: 'ENOENT', message: expect.stringContaining('another pid namespace') }
      expect(ran.reports, ran.stderr).toMatchObject([refused, 3])
    })

    it.each(['ptraceSeize', 'ptraceAttach'])('%s of a child of child_process is refused', async way => {
      const ran = await runNode(
        `
          const { spawn } = await import('node:child_process')
          const child = spawn('cat', { stdio: ['pipe', 'ignore', 'inherit'] })
          await once(child, 'spawn')
          report(await outcome((async () => openSystem('native').${way}(child.pid, 0))()))
          child.stdin.end()
          report(await once(child, 'exit'))
        `,
        { behind },
      )
      const refused = { code: 'EPERM', message: expect.stringContaining('child_process') }
      expect(ran.reports, ran.stderr).toMatchObject([refused, [0, null]])
    })

    it('the id maps of a new user namespace are written to no other process', async () => {
      const ran = await runNode(
        `report(await outcome(launch('/bin/true', [], { namespaces: ['user'], uidMap: [[0, 0, 1]] })))`,
        { behind },
      )
      const refused = { code: 'ENOENT', step: 'uidMap', message: expect.stringContaining('another pid namespace') }
      expect(ran.reports, ran.stderr).toMatchObject([refused])
    })

    it.each(['traceme', 'seize'])('threads and children are followed (%s)', async trace => {
      const ran = await runNode(
        `
          const tracee = await launch(${JSON.stringify(threads)}, ['t(e0)f(x3)t(e0)r0x7'], {
            follow: 'all', trace: '${trace}', stdio: ['pipe', 'ignore', 'inherit'],
          })
          const events = []
          for await (const { thread, stop } of tracee.everyStop()) {
            events.push(stop.reason ?? stop.event ?? stop.signal)
            thread.cont(stop.event ? undefined : stop.signal)
            if (stop.reason === 'birth' && events.filter(event => event === 'birth').length === 3) tracee.stdin.end('x')
          }
          report(events.filter(event => event !== 'SIGCHLD').sort())
          report((await tracee.exited).code)
        `,
        { behind },
      )
      const events = ['birth', 'birth', 'birth', 'clone', 'clone', 'exec', 'fork']
      expect(ran.reports, ran.stderr).toEqual([events, 7])
    })
  })
})
