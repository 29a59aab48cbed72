/** attach() to a child that launch() has started: the child stays one, and each handle of it has its end. */

import { once } from 'node:events'
import { expect, it } from 'vitest'
import { attach } from '../../lib/launch/attach.ts'
import { launch } from '../../lib/launch/launch.ts'
import { describeNative } from './support/native.ts'
import { stateOf, statusOf, untilState } from './support/processes.ts'

describeNative('attach() to a child of this process', () => {
  it('stops one that was launched untraced, lets it go, and comes again', async () => {
    await using child = await launch('/bin/cat', { trace: false, stdio: ['pipe', 'pipe', 'inherit'] })
    for (let round = 0; round < 3; round++) {
      const tracee = await attach(child.pid)
      await using _ = tracee
      expect(stateOf(child.pid)).toBe('t')
      expect(tracee.stop).toMatchObject({ event: 'stop', reason: 'interrupt' })
      tracee.cont()
      child.stdin.write(`round ${round}\n`)
      const [said] = await once(child.stdout, 'data')
      expect(String(said)).toBe(`round ${round}\n`)
    }
    expect(statusOf(child.pid, 'TracerPid')).toBe(0)
    child.stdin.end()
    expect(await child.exited).toMatchObject({ code: 0 })
    await expect(attach(child.pid)).rejects.toMatchObject({ code: 'ESRCH' })
  })

  it('gives each handle its end, its code, its usage and its events', async () => {
    await using child = await launch('/bin/sh', ['-c', 'read line; exit 5'], {
      trace: false,
      stdio: ['pipe', 'ignore', 'inherit'],
    })
    const before = await attach(child.pid)
    await before.detach()
    const tracee = await attach(child.pid)
    const events: unknown[] = []
    for (const handle of [child, before, tracee]) {
      for (const name of ['exit', 'close'] as const) {
        handle.once(name, (code: number | null) => events.push([name, code]))
      }
    }
    tracee.cont()
    child.stdin.end('\n')
    const exit = await child.exited
    expect(exit).toMatchObject({ kind: 'exited', code: 5, rusage: { maxRSS: expect.any(Number) } })
    expect([await before.exited, await tracee.exited]).toEqual([exit, exit])
    expect([await before.wait(), await tracee.wait()]).toMatchObject([{ code: 5 }, { code: 5 }])
    const isOver = () => events.length === 6
    while (!isOver()) await once(child, 'close')
    expect(events).toEqual([...Array(3).fill(['exit', 5]), ...Array(3).fill(['close', 5])])
  })

  it('traces one again that was detached or handed off', async () => {
    await using child = await launch('/bin/sleep', ['1000'], { stdio: 'ignore' })
    await child.detach()
    const first = await attach(child.pid)
    expect(first.tracing).toBe('seize')
    await first.handOff()
    await untilState(child.pid, 'T')
    const second = await attach(child.pid)
    expect(second.stop).toMatchObject({ reason: 'group' })
    await second.detach()
    await untilState(child.pid, 'T')
    child.kill('SIGCONT')
    await untilState(child.pid, 'S')
    expect([child.tracing, first.tracing, second.tracing]).toEqual([null, null, null])
    expect(await child.terminate()).toMatchObject({ signal: 'SIGTERM' })
  })

  it('has terminate() of either handle run it to its end', async () => {
    for (const which of [0, 1]) {
      await using child = await launch('/bin/sleep', ['1000'], { trace: false, stdio: 'ignore' })
      const tracee = await attach(child.pid)
      expect(await [child, tracee][which]!.terminate()).toMatchObject({ signal: 'SIGTERM' })
    }
  })

  it('is refused while it is traced, and while it is launched', async () => {
    const attempts: unknown[] = []
    await using child = await launch('/bin/cat', {
      stdio: 'ignore',
      trace: false,
      beforeExec: async early => {
        await attach(early.pid).catch((error: unknown) => attempts.push(error))
      },
    })
    expect(attempts).toMatchObject([
      { code: 'EPERM', message: expect.stringMatching(/launch\(\) waits for this child/) },
    ])
    await using tracee = await launch('/bin/true')
    await expect(attach(tracee.pid)).rejects.toMatchObject({
      code: 'EPERM',
      message: expect.stringMatching(/this process traces \d+ already/),
    })
    expect(child.pid).not.toBe(tracee.pid)
  })
})
