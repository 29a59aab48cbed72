/** A tracee's signals: passed on, swallowed, its group stops, run(), and its end. */

import { expect, it } from 'vitest'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import type { Signal } from '../../../lib/system/signals.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { isGroupOrphaned, stateOf, until, untilState } from '../support/processes.ts'
import { runUntilReady } from '../support/run-until-ready.ts'

const title = `the signals of a tracee${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`

describeNative(title, system => {
  if (whyNoCompiler !== undefined) return it.skip('reach it', () => {})
  const program = compile(temporaryFolder(), 'launch-signals')

  /** The fixture, ready to receive signals, and its output since then. */
  async function ready(trace: 'traceme' | 'seize') {
    const started = await runUntilReady(program, trace)
    await untilState(started.tracee.pid, 'S')
    return started
  }

  /** The second stop for a stop signal. The first is the signal's delivery. */
  const groupStop = (tracee: Tracee, signal: Signal) =>
    new Promise<void>(resolve => {
      let isDelivered = false
      tracee.on('stop', stop => {
        if (stop.signal === signal && isDelivered) resolve()
        isDelivered ||= stop.signal === signal
      })
    })

  async function stoppedFor(tracee: Tracee, signal: Signal): Promise<void> {
    tracee.kill(signal)
    expect(await tracee.wait()).toEqual({ kind: 'stopped', signal })
    expect(tracee.stop).toEqual({ kind: 'stopped', signal })
  }

  it.each(tracings)('are not lost to a cont() or detach() before their stop is known (%s)', async trace => {
    const { tracee } = await ready(trace)
    await using _ = tracee
    tracee.kill('SIGUSR1')
    // All within one turn, before the event loop can report the stop.
    while (stateOf(tracee.pid) !== 't') {}
    const notStopped = expect.objectContaining({ code: 'ESRCH' })
    for (const resume of ['cont', 'step', 'syscall', 'listen'] as const)
      expect(() => tracee[resume]()).toThrow(notStopped)
    expect(await tracee.wait()).toEqual({ kind: 'stopped', signal: 'SIGUSR1' })
  })

  it.each(tracings)('stop it first, are swallowed by cont() and passed on by cont(signal) (%s)', async trace => {
    const { tracee, text } = await ready(trace)
    await using _ = tracee
    await stoppedFor(tracee, 'SIGUSR1')
    tracee.cont()
    await stoppedFor(tracee, 'SIGUSR1')
    tracee.cont(tracee.stop?.signal)
    await until('the signal is handled', () => text() === 'u')
    await stoppedFor(tracee, 'SIGTERM')
    tracee.cont('SIGUSR1')
    await until('another one was delivered in its place', () => text() === 'uu')
    await stoppedFor(tracee, 'SIGUSR2')
    tracee.cont('SIGUSR2')
    expect(await tracee.exited).toMatchObject({ kind: 'exited', code: 2 })
  })

  it.each(tracings)('stop it though it ignores them, real-time ones by name too (%s)', async trace => {
    const { tracee } = await ready(trace)
    await using _ = tracee
    await stoppedFor(tracee, 'SIGWINCH')
    tracee.cont('SIGWINCH')
    await untilState(tracee.pid, 'S')
    await stoppedFor(tracee, 'SIGRTMIN+3')
    tracee.cont('SIGRTMIN+3')
    expect(await tracee.exited).toMatchObject({ kind: 'signaled', signal: 'SIGRTMIN+3', coreDumped: false })
  })

  it.each(tracings)('are passed on by run(), whose end is the program’s (%s)', async trace => {
    const { tracee, text } = await ready(trace)
    await using _ = tracee
    const end = tracee.run()
    for (let i = 1; i <= 5; i++) {
      tracee.kill('SIGUSR1')
      await until('one more is handled', () => text().length === i)
    }
    tracee.kill('SIGUSR2')
    expect(await end).toMatchObject({ kind: 'exited', code: 5 })
  })

  it.each(tracings)('that end it are its end under run() (%s)', async trace => {
    const { tracee } = await ready(trace)
    await using _ = tracee
    const end = tracee.run()
    tracee.kill('SIGTERM')
    expect(await end).toMatchObject({ kind: 'signaled', signal: 'SIGTERM' })
  })

  // SIGTTIN has no effect in an orphaned process group. Some ways to start these tests make it one.
  const stopping: Signal[] = isGroupOrphaned() ? ['SIGSTOP'] : ['SIGSTOP', 'SIGTTIN']

  it.each(tracings.flatMap(trace => stopping.map(signal => ({ trace, signal }))))(
    'that stop it keep it stopped under run() until SIGCONT comes from outside ($trace, $signal)',
    async ({ trace, signal }) => {
      const { tracee, text } = await ready(trace)
      await using _ = tracee
      const end = tracee.run()
      for (let round = 1; round <= 3; round++) {
        const stopped = groupStop(tracee, signal)
        tracee.kill(signal)
        await stopped
        await untilState(tracee.pid, 'Tt')
        for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
        expect(stateOf(tracee.pid)).toMatch(/[Tt]/)
        expect(text()).toBe('c'.repeat(round - 1))
        system.kill(tracee.pid, 'SIGCONT')
        await until('SIGCONT is handled', () => text() === 'c'.repeat(round))
      }
      tracee.kill('SIGUSR2')
      expect(await end).toMatchObject({ kind: 'exited', code: 0 })
    },
  )

  it.each(tracings)('passed on at each stop, a stop signal stops it once, and it goes on (%s)', async trace => {
    const { tracee } = await ready(trace)
    await using _ = tracee
    for (const going of ['cont', 'syscall'] as const) {
      tracee.kill('SIGSTOP')
      expect(await tracee.wait()).toEqual({ kind: 'stopped', signal: 'SIGSTOP' })
      tracee.cont('SIGSTOP')
      expect(await tracee.wait(), 'the group stop').toMatchObject({ signal: 'SIGSTOP' })
      if (trace === 'traceme') expect(() => tracee.signalInfo()).toThrow(expect.objectContaining({ code: 'EINVAL' }))
      tracee[going](tracee.stop?.signal)
      if (going === 'syscall') expect(await tracee.wait()).toMatchObject({ event: 'syscall' })
    }
    tracee.cont()
    await untilState(tracee.pid, 'S')
    expect(tracee.stop).toBeNull()
  })

  it.each(tracings)('another signal given at a group stop is delivered (%s)', async trace => {
    const { tracee } = await ready(trace)
    await using _ = tracee
    tracee.kill('SIGSTOP')
    await tracee.wait()
    tracee.cont('SIGSTOP')
    await tracee.wait()
    tracee.cont('SIGTERM')
    expect(await tracee.exited).toMatchObject({ signal: 'SIGTERM' })
  })

  it.each(tracings)('SIGKILL ends it in a group stop under run() (%s)', async trace => {
    const { tracee } = await ready(trace)
    await using _ = tracee
    const end = tracee.run()
    const stopped = groupStop(tracee, 'SIGSTOP')
    tracee.kill('SIGSTOP')
    await stopped
    await untilState(tracee.pid, 'Tt')
    tracee.kill('SIGKILL')
    expect(await end).toMatchObject({ signal: 'SIGKILL' })
  })

  it.each(tracings)('SIGKILL ends it at every kind of stop (%s)', async trace => {
    const stops: ((tracee: Tracee) => Promise<unknown>)[] = [
      tracee => stoppedFor(tracee, 'SIGUSR1'),
      tracee => {
        tracee.interrupt()
        return tracee.wait()
      },
      async tracee => {
        await stoppedFor(tracee, 'SIGUSR1')
        tracee.syscall()
        return tracee.wait()
      },
      async tracee => {
        await stoppedFor(tracee, 'SIGUSR1')
        tracee.step('SIGUSR1')
        return tracee.wait()
      },
    ]
    for (const stop of stops) {
      const { tracee } = await ready(trace)
      await using _ = tracee
      await stop(tracee)
      expect(tracee.stop).not.toBeNull()
      expect(tracee.kill('SIGKILL')).toBe(true)
      expect(await tracee.exited).toMatchObject({ kind: 'signaled', signal: 'SIGKILL' })
      expect(tracee.stop).toBeNull()
      expect(await tracee.wait()).toMatchObject({ signal: 'SIGKILL' })
    }
  })

  it('a shell stops for each SIGCHLD, and run() passes these on', async () => {
    await using tracee = await launch('/bin/sh', ['-c', 'for i in 1 2 3; do /bin/true; done; exit 4'])
    const signals: string[] = []
    tracee.on('stop', stop => signals.push(stop.signal))
    expect(await tracee.run()).toMatchObject({ code: 4 })
    expect(new Set(signals)).toContain('SIGCHLD')
  })
})
