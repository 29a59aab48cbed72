/** The ends of processes that other processes reap, after they were let go. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { attach } from '../../../lib/launch/attach.ts'
import { endByPidfd } from '../../../lib/launch/children/pidfd-end.ts'
import { SystemError } from '../../../lib/system/errors.ts'
import type { System } from '../../../lib/system/system.ts'
import { openDescriptors } from '../../support/process-table.ts'
import { describeNative } from '../support/native.ts'
import { runNode } from '../support/node.ts'

const entry = new URL('../../../dist/index.js', import.meta.url).href

describeNative('a process that was let go', () => {
  it('takes one descriptor, however often it was attached to, and settles every handle', async () => {
    const shell = spawn('/bin/sh', ['-c', 'sleep 1000 & echo $!; wait $!'], { stdio: ['ignore', 'pipe', 'ignore'] })
    const closed = once(shell, 'close')
    const pid = Number((await once(shell.stdout, 'data'))[0])
    const pidfds = () => [...openDescriptors().values()].filter(target => target.includes('[pidfd]')).length
    const before = pidfds()
    const ends: Promise<string>[] = []
    for (let round = 0; round < 10; round++) {
      const tracee = await attach(pid)
      await tracee.detach()
      ends.push(
        tracee.exited.then(
          ({ signal }) => String(signal),
          ({ code }) => code,
        ),
      )
      expect(tracee.kill('SIGCONT')).toBe(true)
      expect(pidfds()).toBe(before + 1)
    }
    process.kill(pid)
    // Before Linux 6.15 the kernel does not say how it ended.
    const [first] = await Promise.all(ends)
    expect(['SIGTERM', 'ECHILD']).toContain(first)
    expect(await Promise.all(ends)).toEqual(Array(10).fill(first))
    expect(pidfds()).toBe(before)
    await closed
  })

  it('keeps the event loop alive as long as any handle does', async () => {
    const { reports, stderr } = await runNode(`
      const { attach } = await import(${JSON.stringify(entry)})
      const { spawn } = await import('node:child_process')
      const shell = spawn('/bin/sh', ['-c', 'sleep 1000 & echo $!; wait'], { stdio: ['ignore', 'pipe', 'ignore'] })
      const pid = Number((await once(shell.stdout, 'data'))[0])
      shell.unref()
      shell.stdout.unref()
      const tracees = []
      for (let i = 0; i < 2; i++) {
        tracees.push(await attach(pid))
        await tracees[i].detach()
      }
      tracees[0].unref()
      tracees[0].unref()
      // This one alone keeps the loop: the timer does not.
      setTimeout(() => {
        report('kept')
        tracees[1].unref()
      }, 100).unref()
      process.on('exit', () => {
        report('let go')
        process.kill(pid)
      })`)
    expect({ reports, stderr }).toEqual({ reports: ['kept', 'let go'], stderr: '' })
  })
})

describe('a pidfd that cannot be watched', () => {
  it('is closed, and the end says why it is not known', async () => {
    const closed: number[] = []
    const system = {
      waitid: () => null,
      watch() {
        throw new SystemError({ errno: 'ENOMEM', syscall: 'ready' })
      },
      close: (fd: number) => void closed.push(fd),
    } as Partial<System> as System
    const { end, pidfd } = endByPidfd(system, 7, 99)
    expect({ closed, pidfd }).toEqual({ closed: [99], pidfd: -1 })
    expect(await end).toMatchObject({ error: { code: 'ECHILD', message: expect.stringContaining('ENOMEM') } })
  })
})
