/** Releasing a tracee by detach() or handOff(), and what the launcher keeps. */

import { EventEmitter, once } from 'node:events'
import { expect, it } from 'vitest'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { getppid } from '../support/machine-code.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { stateOf, statusOf, until, untilState } from '../support/processes.ts'
import { runUntilReady } from '../support/run-until-ready.ts'

const title = `a tracee that is let go${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`

describeNative(title, system => {
  if (whyNoCompiler !== undefined) return it.skip('goes', () => {})
  const program = compile(temporaryFolder(), 'launch-signals')

  async function stoppedFor(trace: 'traceme' | 'seize', signal: 'SIGUSR1' | 'SIGTERM' | 'SIGSTOP') {
    const { tracee, text } = await runUntilReady(program, trace)
    tracee.kill(signal)
    expect(await tracee.wait()).toEqual({ kind: 'stopped', signal })
    return { tracee, text }
  }

  const detached = async (tracee: Tracee) => {
    expect(statusOf(tracee.pid, 'TracerPid')).toBe(0)
    expect(tracee.stop).toBeNull()
    const refused = expect.objectContaining({ code: 'ESRCH', message: expect.stringContaining('detached') })
    for (const request of ['cont', 'step', 'syscall', 'listen', 'interrupt', 'registers'] as const) {
      expect(() => tracee[request]()).toThrow(refused)
    }
    await expect(tracee.detach()).rejects.toEqual(refused)
    await expect(tracee.handOff()).rejects.toEqual(refused)
  }

  it.each(tracings)('does not stop for an interrupt that was still to come (%s)', async trace => {
    const tracee = await launch('/bin/sleep', ['1000'], { trace, stdio: 'ignore' })
    await using _ = tracee
    tracee.interrupt()
    await tracee.detach()
    await untilState(tracee.pid, 'S')
    await detached(tracee)
  })

  it.each(tracings)('at its exec runs on, and its end is still reported (%s)', async trace => {
    await using tracee = await launch('/bin/sh', ['-c', 'read line; exit 5'], { trace })
    await tracee.detach()
    await detached(tracee)
    const end = once(tracee, 'exit')
    tracee.stdin?.end()
    expect(await tracee.exited).toMatchObject({ code: 5 })
    expect(await end).toEqual([5, null])
  })

  it.each(
    tracings.flatMap(trace => (['cont', 'step', 'syscall', 'listen'] as const).map(request => ({ trace, request }))),
  )(
    'handed off while a loop is busy with its stop is not resumed by it ($trace, $request)',
    async ({ trace, request }) => {
      const { tracee, text } = await stoppedFor(trace, 'SIGUSR1')
      await using _ = tracee
      const steps = new EventEmitter()
      const answered = once(steps, 'answer')
      const given = once(steps, 'given')
      const loop = (async () => {
        for await (const { thread, stop } of tracee.everyStop()) {
          steps.emit('given')
          await answered
          thread[request](stop.signal)
        }
      })()
      await given
      const handedOff = tracee.handOff()
      steps.emit('answer')
      await loop
      await handedOff
      expect(stateOf(tracee.pid)).toBe('T')
      await detached(tracee)
      tracee.kill('SIGCONT')
      await until('its signal is handled', () => text() !== '')
    },
  )

  it.each(tracings)('at its exec with a signal gets that signal (%s)', async trace => {
    await using tracee = await launch('/bin/sleep', ['60'], { trace })
    await tracee.detach({ signal: 'SIGTERM' })
    expect(await tracee.exited).toMatchObject({ signal: 'SIGTERM' })
  })

  it.each(tracings)('after a step over a system call gets no signal for that (%s)', async trace => {
    for (const how of ['detach', 'handOff'] as const) {
      await using tracee = await launch('/bin/true', [], { trace })
      const { pc } = tracee.registers()
      const original = tracee.readMemory(pc, getppid.length)
      tracee.writeMemory(pc, Uint8Array.from(getppid))
      for (let step = 0; step < 2; step++) {
        tracee.step()
        expect(await tracee.wait()).toEqual({ kind: 'stopped', signal: 'SIGTRAP' })
      }
      expect(tracee.registers().pc).toBe(pc + BigInt(getppid.length))
      tracee.writeMemory(pc, original)
      tracee.setRegisters({ pc })
      await tracee[how]()
      if (how === 'handOff') tracee.kill('SIGCONT')
      expect(await tracee.exited).toMatchObject({ code: 0 })
    }
  })

  it.each(tracings)('at a signal with another gets that one (%s)', async trace => {
    const { tracee, text } = await stoppedFor(trace, 'SIGTERM')
    await using _ = tracee
    await tracee.detach({ signal: 'SIGUSR1' })
    await until('the signal is handled', () => text() === 'u')
    await detached(tracee)
    tracee.kill('SIGUSR2')
    expect(await tracee.exited).toMatchObject({ code: 1 })
  })

  it.each(tracings)('at a signal without one gets the signal that it stopped for (%s)', async trace => {
    const { tracee, text } = await stoppedFor(trace, 'SIGUSR1')
    await using _ = tracee
    await tracee.detach()
    await until('the signal is handled', () => text() === 'u')
    tracee.kill('SIGUSR2')
    expect(await tracee.exited).toMatchObject({ code: 1 })
  })

  it.each(tracings)('at a signal with signal 0 never gets it (%s)', async trace => {
    const { tracee, text } = await stoppedFor(trace, 'SIGTERM')
    await using _ = tracee
    await tracee.detach({ signal: 0 })
    await untilState(tracee.pid, 'S')
    expect(text()).toBe('')
    tracee.kill('SIGUSR2')
    expect(await tracee.exited).toMatchObject({ code: 0 })
  })

  it.each(tracings.flatMap(trace => [true, false].map(exitKill => ({ trace, exitKill }))))(
    'handed off at its exec is stopped and untraced ($trace, exitKill $exitKill)',
    async ({ trace, exitKill }) => {
      await using tracee = await launch('/bin/sh', ['-c', 'exit 6'], { trace, exitKill })
      await tracee.handOff()
      expect(stateOf(tracee.pid)).toBe('T')
      await detached(tracee)
      system.kill(tracee.pid, 'SIGCONT')
      expect(await tracee.exited).toMatchObject({ code: 6 })
    },
  )

  it.each(tracings)('handed off at a signal that it handles gets it once it goes on (%s)', async trace => {
    const { tracee, text } = await stoppedFor(trace, 'SIGUSR1')
    await using _ = tracee
    await tracee.handOff()
    expect(stateOf(tracee.pid)).toBe('T')
    expect(text()).toBe('')
    tracee.kill('SIGCONT')
    await until('both signals are handled', () => text().length === 2)
    expect([...text()].sort()).toEqual(['c', 'u'])
    tracee.kill('SIGUSR2')
    expect(await tracee.exited).toMatchObject({ code: 1 })
  })

  it.each(tracings)('handed off at a signal that will end it is stopped first (%s)', async trace => {
    const { tracee } = await stoppedFor(trace, 'SIGTERM')
    await using _ = tracee
    await tracee.handOff()
    expect(stateOf(tracee.pid)).toBe('T')
    await detached(tracee)
    tracee.kill('SIGCONT')
    expect(await tracee.exited).toMatchObject({ signal: 'SIGTERM' })
  })

  it.each(tracings)('handed off at a SIGSTOP stays stopped (%s)', async trace => {
    const { tracee } = await stoppedFor(trace, 'SIGSTOP')
    await using _ = tracee
    await tracee.handOff()
    expect(stateOf(tracee.pid)).toBe('T')
    tracee.kill('SIGKILL')
    expect(await tracee.exited).toMatchObject({ signal: 'SIGKILL' })
  })

  it.each(tracings)('handed off at an interruption or at a system call is stopped (%s)', async trace => {
    for (const how of ['interrupt', 'syscall'] as const) {
      await using tracee = await launch(program, [], { trace })
      if (how === 'syscall') tracee.syscall()
      else {
        tracee.cont()
        tracee.interrupt()
      }
      await tracee.wait()
      await tracee.handOff()
      expect(stateOf(tracee.pid)).toBe('T')
    }
  })

  it.each(tracings)('killed while handed off is reported (%s)', async trace => {
    await using tracee = await launch('/bin/sleep', ['60'], { trace })
    await tracee.handOff()
    tracee.kill('SIGKILL')
    expect(await tracee.exited).toMatchObject({ signal: 'SIGKILL' })
    expect(await tracee.wait()).toMatchObject({ signal: 'SIGKILL' })
  })

  it.each(tracings)('many times over, handed off, always ends in state T (%s)', async trace => {
    for (let i = 0; i < 40; i++) {
      const tracee = await launch('/bin/true', [], { trace })
      await tracee.handOff()
      expect(stateOf(tracee.pid)).toBe('T')
      tracee.kill('SIGCONT')
      expect(await tracee.exited).toMatchObject({ code: 0 })
    }
  })

  it.each(tracings)('waits, once detached, for its end only (%s)', async trace => {
    await using tracee = await launch('/bin/cat', [], { trace })
    await tracee.detach()
    const waiting = tracee.wait()
    tracee.stdin?.end()
    expect(await waiting).toMatchObject({ kind: 'exited', code: 0 })
  })
})
