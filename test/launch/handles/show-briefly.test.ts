/** What console.log shows of children and threads. */

import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { describeNative } from '../support/native.ts'

describeNative('util.inspect', () => {
  it('shows a child by its pid and state', async () => {
    const child = await launch('/bin/sh', ['-c', 'exit 3'], { trace: false, stdio: 'ignore' })
    const { pid } = child
    expect(inspect(child)).toBe(`Child { pid: ${pid}, state: 'running' }`)
    await child.exited
    expect(inspect(child)).toBe(`Child { pid: ${pid}, state: 'exited (3)' }`)
  })

  it('shows a tracee, and its threads, by their numbers and states', async () => {
    await using tracee = await launch('/bin/sh', ['-c', 'kill $$'], { follow: 'threads', stdio: 'ignore' })
    const { pid, mainThread } = tracee
    expect(inspect(tracee)).toBe(`Tracee { pid: ${pid}, tracing: 'seize', threads: 1, state: 'stopped (exec)' }`)
    expect(inspect(mainThread)).toBe(`TracedThread { tid: ${pid}, pid: ${pid}, state: 'stopped (exec)' }`)
    tracee.cont()
    expect(inspect(mainThread)).toBe(`TracedThread { tid: ${pid}, pid: ${pid}, state: 'running' }`)
    await tracee.run()
    expect(inspect(tracee)).toBe(`Tracee { pid: ${pid}, tracing: 'seize', threads: 1, state: 'killed (SIGTERM)' }`)
    expect(inspect(mainThread)).toBe(`TracedThread { tid: ${pid}, pid: ${pid}, state: 'ended (exit)' }`)
  })

  it('shows what everyStop() gives in a few lines, the child of a stop included', async () => {
    await using tracee = await launch('/bin/sh', ['-c', '/bin/true; exit 4'], { follow: 'all', stdio: 'ignore' })
    const shown: string[] = []
    tracee.cont()
    for await (const each of (tracee as Tracee).everyStop()) {
      shown.push(inspect(each, { depth: 9 }))
      each.thread.cont(each.stop.event ? undefined : each.stop.signal)
    }
    expect(shown.length).toBeGreaterThan(3)
    for (const text of shown) expect(text.length, text).toBeLessThan(500)
    expect(shown.join('\n')).toMatch(
      /child: Tracee \{ pid: \d+, tracing: 'seize', threads: 1, state: '(running|stopped \(birth\))' \}/,
    )
  })
})
