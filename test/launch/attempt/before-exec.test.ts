/** beforeExec runs while the child waits at the gate. */

import { writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Child } from '../../../lib/launch/handles/child.ts'
import { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { modes, optionsOf, tracedModes } from '../support/modes.ts'
import { describeNative, withCalls } from '../support/native.ts'
import { stateOf, statusOf, until, untilState } from '../support/processes.ts'
import { textOf } from '../support/streams.ts'

describeNative('beforeExec', system => {
  it.each(modes)('runs once with the child’s pid known and its program not yet there ($name)', async mode => {
    const seen: number[] = []
    await using child = await launch('/bin/sh', ['-c', 'exit 3'], {
      ...optionsOf(mode),
      beforeExec: early => {
        seen.push(early.pid)
        expect(stateOf(early.pid)).toMatch(/[RSDtT]/)
        expect(statusOf(early.pid, 'PPid')).toBe(process.pid)
      },
    })
    expect(seen).toEqual([child.pid])
    if (child instanceof Tracee) void child.run()
    expect(await child.exited).toMatchObject({ code: 3 })
  })

  it.each(modes)('holds the exec up until its promise is settled ($name)', async mode => {
    let isOver = false
    await using child = await launch('/bin/true', [], {
      ...optionsOf(mode),
      beforeExec: async early => {
        // The child now blocks in its read of the gate.
        await untilState(early.pid, 'S')
        for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
        expect(stateOf(early.pid)).toBe('S')
        isOver = true
      },
    })
    expect(isOver).toBe(true)
    if (child instanceof Tracee) void child.run()
    expect(await child.exited).toMatchObject({ code: 0 })
  })

  it.each(tracedModes)('refuses what waits for stops, which the launch takes until the exec ($name)', async mode => {
    const codes: unknown[] = []
    await using tracee = await launch('/bin/true', [], {
      ...optionsOf(mode),
      beforeExec: async early => {
        if (!(early instanceof Tracee)) return
        for (const call of [early.stopAll(), early.detach(), early.handOff()]) {
          await call.catch(error => codes.push(error.code, error.message.includes('launch is not over')))
        }
      },
    })
    expect(codes).toEqual(['ESRCH', true, 'ESRCH', true, 'ESRCH', true])
    expect(tracee.stop).toMatchObject({ event: 'exec' })
  })

  it('may configure the child by its pid', async () => {
    await using tracee = await launch('/bin/cat', ['/proc/self/oom_score_adj'], {
      memory: 'copied',
      beforeExec: child => writeFileSync(`/proc/${child.pid}/oom_score_adj`, '321'),
    })
    const text = textOf(tracee.stdout)
    await tracee.run()
    expect(await text).toBe('321\n')
  })

  it.each(modes)('that throws aborts the launch with what it threw ($name)', async mode => {
    const thrown = new Error('not this one')
    let pid = 0
    const options = {
      ...optionsOf(mode),
      beforeExec: (child: Child) => {
        pid = child.pid
        throw thrown
      },
    }
    await expect(launch('/bin/true', [], options)).rejects.toBe(thrown)
    expect(stateOf(pid)).toBe('gone')
  })

  it.each(modes)('whose promise rejects aborts the launch, whatever the reason is ($name)', async mode => {
    await expect(
      launch('/bin/true', [], { ...optionsOf(mode), beforeExec: () => Promise.reject('a word') }),
    ).rejects.toBe('a word')
  })

  it.each(modes)('that kills the child makes the launch reject with ERR_CHILD_DIED ($name)', async mode => {
    const beforeExec = async (child: Child) => {
      child.kill('SIGKILL')
      await untilState(child.pid, 'Zgone')
    }
    const options = { ...optionsOf(mode), beforeExec }
    await expect(launch('/bin/sleep', ['60'], options)).rejects.toMatchObject({
      code: 'ERR_CHILD_DIED',
      status: { kind: 'signaled', signal: 'SIGKILL' },
    })
  })

  it.each(tracedModes)('that kills the child and returns at once does so too ($name)', async mode => {
    const options = { ...optionsOf(mode), beforeExec: (child: Child) => void child.kill('SIGKILL') }
    await expect(launch('/bin/sleep', ['60'], options)).rejects.toMatchObject({ code: 'ERR_CHILD_DIED' })
  })

  it.each(modes)('that aborts the launch and then rejects leaves no rejection unhandled ($name)', async mode => {
    const abort = new AbortController()
    const unhandled: unknown[] = []
    const note = (reason: unknown) => unhandled.push(reason)
    const runners = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', note)
    try {
      const launching = launch('/bin/true', [], {
        ...optionsOf(mode),
        signal: abort.signal,
        beforeExec: async () => {
          abort.abort('enough')
          throw new Error('of no interest any more')
        },
      })
      await expect(launching).rejects.toBe('enough')
      await new Promise(resolve => setImmediate(resolve))
    } finally {
      process.off('unhandledRejection', note)
      for (const listener of runners) process.on('unhandledRejection', listener)
    }
    expect(unhandled).toEqual([])
  })

  it.each(modes)('that never ends is ended by the death of the child ($name)', async mode => {
    const options = {
      ...optionsOf(mode),
      beforeExec: (child: Child) => {
        setImmediate(() => child.kill('SIGKILL'))
        return new Promise<void>(() => {})
      },
    }
    await expect(launch('/bin/sleep', ['60'], options)).rejects.toMatchObject({ code: 'ERR_CHILD_DIED' })
  })

  it.each(modes)('that never ends is ended by the deadline, and by an abort ($name)', async mode => {
    const beforeExec = () => new Promise<void>(() => {})
    await expect(launch('/bin/true', [], { ...optionsOf(mode), beforeExec, timeoutMs: 30 })).rejects.toMatchObject({
      code: 'ERR_TIMED_OUT',
    })
    const abort = new AbortController()
    setTimeout(() => abort.abort('enough'), 10)
    await expect(launch('/bin/true', [], { ...optionsOf(mode), beforeExec, signal: abort.signal })).rejects.toBe(
      'enough',
    )
  })

  it.each(modes)('can listen for the end of a child that then fails to exec ($name)', async mode => {
    const told: unknown[] = []
    const beforeExec = (child: Child) => void child.on('exit', (code, signal) => told.push(code, signal))
    await expect(launch('/no/such', [], { ...optionsOf(mode), beforeExec })).rejects.toMatchObject({ code: 'ENOENT' })
    await until('the listener is called', () => told.length > 0)
    expect(told).toEqual([127, null])
  })

  it.each(['shared', 'copied'] as const)(
    'signals sent to the child meanwhile reach the program ($0 memory)',
    async memory => {
      await using tracee = await launch('/bin/sleep', ['60'], {
        memory,
        beforeExec: child => void child.kill('SIGCONT'),
      })
      expect(tracee.stop).toMatchObject({ event: 'exec' })
      tracee.kill('SIGKILL')
      expect(await tracee.exited).toMatchObject({ signal: 'SIGKILL' })
    },
  )

  it.each(modes)('a child that a signal ends meanwhile makes the launch fail ($name)', async mode => {
    const beforeExec = async (child: Child) => {
      child.kill('SIGTERM')
      await untilState(child.pid, 'Zgone')
    }
    await expect(launch('/bin/sleep', ['60'], { ...optionsOf(mode), beforeExec })).rejects.toMatchObject({
      code: 'ERR_CHILD_DIED',
      status: { signal: 'SIGTERM' },
    })
  })

  it('a child that is killed before it could be seized makes the launch fail with ERR_CHILD_DIED', async () => {
    const ptraceSeize = (pid: number, options: number) => {
      system.kill(pid, 'SIGKILL')
      while (stateOf(pid) !== 'Z') {}
      system.ptraceSeize(pid, options)
    }
    const killing = withCalls(system, { ptraceSeize })
    await expect(launch('/bin/true', [], { trace: 'seize', system: killing })).rejects.toMatchObject({
      code: 'ERR_CHILD_DIED',
    })
  })

  it('a child that is killed at its first stop makes the launch fail with ERR_CHILD_DIED', async () => {
    const ptraceSetOptions = (pid: number, options: number) => {
      system.kill(pid, 'SIGKILL')
      while (stateOf(pid) !== 'Z') {}
      system.ptraceSetOptions(pid, options)
    }
    const killing = withCalls(system, { ptraceSetOptions })
    await expect(launch('/bin/true', [], { system: killing })).rejects.toMatchObject({ code: 'ERR_CHILD_DIED' })
  })
})
