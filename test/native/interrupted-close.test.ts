/**
 * On Linux a close(2) that fails with EINTR has closed the descriptor: it is no failure, and must not be
 * repeated.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { describeNative } from '../launch/support/native.ts'
import { reportsOf, startNode, whyNot } from '../launch/support/node.ts'
import { statusOf, until } from '../launch/support/processes.ts'

const strace = whyNot('strace')
const skipped = strace === undefined ? '' : ` [skipped: ${strace}]`

describeNative('a close that is interrupted', () => {
  it.skipIf(strace !== undefined)(`is none that fails, in this process or in a child${skipped}`, async () => {
    const child = startNode(`
      const system = openSystem()
      const [read, write] = system.pipe2()
      report(process.pid)
      await once(process.stdin, 'data')
      const closed = await outcome((async () => system.close(read))())
      const pid = system.fork({ actions: [{ op: 'close', fd: write }, { op: 'exit', code: 3 }] })
      report({ closed, status: system.waitpid(pid).status })
      process.kill(process.pid, 'SIGKILL')`)
    const reports = reportsOf(child)
    const pid = (await reports.next()).value as number
    // With injection the kernel skips the calls. The test checks only how their result is handled.
    const inject = ['-e', 'trace=close', '-e', 'signal=none', '-e', 'inject=close:error=EINTR']
    const tracer = spawn('strace', ['-f', '-qq', ...inject, '-o', '/dev/null', '-p', String(pid)], { stdio: 'ignore' })
    const ended = once(tracer, 'exit')
    await until('strace has attached', () => statusOf(pid, 'TracerPid') === tracer.pid)
    child.stdin?.write('now')
    expect((await reports.next()).value).toEqual({
      closed: {},
      status: { kind: 'exited', code: 3, signal: null },
    })
    await ended
  })
})
