/**
 * Signals given to cont() and its like at stops without a signal. The program gets them, and the tracee shows no
 * stop for them.
 */

import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { until, untilState } from '../support/processes.ts'
import { runUntilReady } from '../support/run-until-ready.ts'

const title = `a signal given at a stop${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`
const goings = ['cont', 'step', 'syscall'] as const
const ways = tracings.flatMap(trace => goings.map(going => ({ trace, going })))

describeNative(title, system => {
  if (whyNoCompiler !== undefined) return it.skip('is delivered', () => {})
  const folder = temporaryFolder()
  const program = compile(folder, 'signal-origin')

  /** Stops without a signal: an interruption of a seized tracee, the entry or exit of a system call of any other. */
  async function atEvent(trace: 'traceme' | 'seize'): Promise<{ tracee: Tracee; text: () => string; shown: string[] }> {
    const { tracee, text } = await runUntilReady(program, trace)
    await untilState(tracee.pid, 'S')
    tracee.interrupt()
    await tracee.wait()
    if (trace === 'traceme') {
      tracee.syscall()
      await tracee.wait()
    }
    expect(tracee.stop?.event).toBe(trace === 'seize' ? 'stop' : 'syscall')
    const shown: string[] = []
    tracee.on('stop', stop => shown.push(stop.event ?? stop.signal))
    return { tracee, text, shown }
  }

  it.each(ways)(
    'at the exec event ends the program that does not handle it ($trace, $going)',
    async ({ trace, going }) => {
      await using tracee = await launch('/bin/sleep', ['60'], { trace })
      const shown: string[] = []
      tracee.on('stop', stop => {
        shown.push(stop.event ?? stop.signal)
        tracee.cont()
      })
      tracee[going]('SIGTERM')
      expect(await tracee.exited).toMatchObject({ signal: 'SIGTERM' })
      expect(shown).toEqual([])
    },
  )

  it.each(tracings)('at an event is handled, and not shown again (%s)', async trace => {
    const { tracee, text, shown } = await atEvent(trace)
    await using _ = tracee
    tracee.cont('SIGUSR1')
    await until('the signal is handled', () => text() === '10 -6 0\n')
    await untilState(tracee.pid, 'S')
    tracee.stdin?.end()
    expect(await tracee.exited).toMatchObject({ code: 0 })
    expect(shown).toEqual([])
  })

  it('with a step ends at the handler’s first instruction', async () => {
    const { tracee, text } = await atEvent('seize')
    await using _ = tracee
    const before = tracee.registers().sp
    tracee.step('SIGUSR1')
    expect(await tracee.wait()).toEqual({ kind: 'stopped', signal: 'SIGTRAP' })
    // The handler's frame is on the stack.
    expect(before - tracee.registers().sp).toBeGreaterThan(256n)
    expect(text()).toBe('')
    tracee.cont()
    await until('the signal is handled', () => text() === '10 -6 0\n')
  })

  it.each(tracings)('is shown where another process has sent one too (%s)', async trace => {
    const { tracee, text, shown } = await atEvent(trace)
    await using _ = tracee
    system.kill(tracee.pid, 'SIGUSR1')
    tracee.cont('SIGUSR1')
    expect(await tracee.wait()).toEqual({ kind: 'stopped', signal: 'SIGUSR1' })
    expect(system.ptraceGetSigInfo(tracee.pid)).toMatchObject({ code: 0 })
    tracee.cont('SIGUSR1')
    await until('both signals are handled', () => text().length === '10 -6 0\n10 0 0\n'.length)
    expect(shown).toEqual(['SIGUSR1'])
  })

  it.each(tracings)('that the program blocks is delivered once it does not (%s)', async trace => {
    const { tracee, text, shown } = await atEvent(trace)
    await using _ = tracee
    tracee.cont('SIGUSR2')
    await untilState(tracee.pid, 'S')
    expect(text()).toBe('')
    tracee.stdin?.write('u')
    await until('the signal is handled', () => text() === '12 -6 0\n')
    expect(shown).toEqual([])
  })

  it.each(tracings)('reaches the program under run() (%s)', async trace => {
    const { tracee, text } = await atEvent(trace)
    await using _ = tracee
    tracee.cont('SIGUSR1')
    const end = tracee.run()
    await until('the signal is handled', () => text() === '10 -6 0\n')
    tracee.stdin?.end()
    expect(await end).toMatchObject({ code: 0, rusage: { maxRSS: expect.any(Number) } })
  })

  it.each(tracings)('SIGKILL ends it (%s)', async trace => {
    const { tracee } = await atEvent(trace)
    await using _ = tracee
    tracee.cont('SIGKILL')
    expect(await tracee.wait()).toMatchObject({ signal: 'SIGKILL' })
  })

  it.each(tracings)('and not yet delivered stays pending when it is let go (%s)', async trace => {
    for (const how of ['detach', 'handOff'] as const) {
      const { tracee, text } = await atEvent(trace)
      await using _ = tracee
      tracee.cont('SIGUSR2')
      await untilState(tracee.pid, 'S')
      tracee.interrupt()
      await tracee.wait()
      await tracee[how]()
      tracee.kill('SIGCONT')
      tracee.stdin?.write('u')
      await until('the signal is handled', () => text() === '12 -6 0\n')
    }
  })

  it.each(tracings)('leaves the siginfo of one that is passed on as it was sent (%s)', async trace => {
    const { tracee, text } = await atEvent(trace)
    await using _ = tracee
    tracee.cont()
    execFileSync(compile(folder, 'send-value'), [String(tracee.pid), '10', '4242'])
    expect(await tracee.wait()).toEqual({ kind: 'stopped', signal: 'SIGUSR1' })
    await tracee.detach()
    await until('the signal is handled', () => text() === '10 -1 4242\n')
  })
})
