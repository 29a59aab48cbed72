/** Handing off a tracee leaves it in state T, and keeps every pending signal pending. */

import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { takeChanges } from '../../../lib/launch/children/child-watch.ts'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { processLimitMs } from '../../support/time-limits.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { runNode, whyNot } from '../support/node.ts'
import { stateOf, statusOf, until, untilState } from '../support/processes.ts'
import { runUntilReady } from '../support/run-until-ready.ts'

const title = `a tracee that is handed off${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`
const gdb = whyNot('gdb')

describeNative(title, system => {
  if (whyNoCompiler !== undefined) return it.skip('keeps its signals', () => {})
  const folder = temporaryFolder()
  const program = compile(folder, 'signal-origin')
  const sendValue = compile(folder, 'send-value')
  const threads = compile(folder, 'threads')

  const ready = (trace: 'traceme' | 'seize', args: readonly string[] = []) => runUntilReady(program, trace, args)

  const blocked = (tracee: Tracee) =>
    /^SigBlk:\t(.*)$/m.exec(execFileSync('cat', [`/proc/${tracee.pid}/status`], { encoding: 'utf8' }))?.[1]

  it.each(tracings.flatMap(trace => [10, 15, 34].map(signal => ({ trace, signal }))))(
    'at a signal with a value keeps both, and its mask ($trace, signal $signal)',
    async ({ trace, signal }) => {
      const { tracee, text } = await ready(trace)
      await using _ = tracee
      await untilState(tracee.pid, 'S')
      execFileSync(sendValue, [String(tracee.pid), String(signal), '4242'])
      await tracee.wait()
      const mask = blocked(tracee)
      await tracee.handOff()
      expect(stateOf(tracee.pid)).toBe('T')
      expect(statusOf(tracee.pid, 'TracerPid')).toBe(0)
      expect(blocked(tracee)).toBe(mask)
      expect(text()).toBe('')
      tracee.kill('SIGCONT')
      await until('the signal is handled', () => text() === `${signal} -1 4242\n`)
    },
  )

  it.each(tracings)('at a fault keeps its address (%s)', async trace => {
    const { tracee, text } = await ready(trace, ['segv'])
    await using _ = tracee
    expect(await tracee.wait()).toEqual({ kind: 'stopped', signal: 'SIGSEGV' })
    await tracee.handOff()
    expect(stateOf(tracee.pid)).toBe('T')
    tracee.kill('SIGCONT')
    expect(await tracee.exited).toMatchObject({ code: 4 })
    await until('the fault is reported', () => text() === 'segv 0x1230\n')
  })

  it.each(tracings)('is waited for by nothing once it is let go, also as the child of another (%s)', async trace => {
    await using parent = await launch(threads, ['f(p)p'], { trace, follow: 'all', stdio: 'ignore' })
    void parent.run()
    await until('its child sleeps', () => [...parent.children.keys()].some(pid => stateOf(pid) === 'S'))
    const [child] = parent.children.values()
    // The child alone is asked for its changes then, at each look.
    await parent.detach()
    const handOff = child!.handOff()
    for (const end = system.now() + 10_000; statusOf(child!.pid, 'TracerPid') !== 0 && system.now() < end; ) {
      takeChanges(system)
      await null
    }
    for (let left = 20; left > 0; left--) {
      takeChanges(system)
      await null
    }
    await handOff
    expect(stateOf(child!.pid)).toBe('T')
    child!.kill('SIGKILL')
    // A detached child is not killed by its disposal.
    parent.kill('SIGKILL')
  })

  it.each(tracings)('at its exec with a signal pending that will end it is stopped first (%s)', async trace => {
    await using tracee = await launch('/bin/sleep', ['60'], { trace })
    const { pc } = tracee.registers()
    system.kill(tracee.pid, 'SIGTERM')
    await tracee.handOff()
    expect(stateOf(tracee.pid)).toBe('T')
    // In another process: here launch() waits for the child, and would consume the stop.
    const other = await runNode(`
      const system = openSystem()
      system.ptraceSeize(${tracee.pid}, 0)
      system.waitpid(${tracee.pid}, constants.__WALL)
      report(String(system.ptraceGetRegisters(${tracee.pid}).pc))
      system.ptraceDetach(${tracee.pid})`)
    expect(other.reports, `no instruction has run; ${other.stderr}`).toEqual([String(pc)])
    tracee.kill('SIGCONT')
    expect(await tracee.exited).toMatchObject({ signal: 'SIGTERM' })
  })

  it.each(tracings)('at its exec runs no instruction, though a SIGCONT comes meanwhile (%s)', async trace => {
    for (let round = 0; round < 50; round++) {
      await using tracee = await launch('/bin/sleep', ['60'], { trace })
      const { pc } = tracee.registers()
      const handed = tracee.handOff()
      // It is on its way to the SIGSTOP, which this may drop.
      system.kill(tracee.pid, 'SIGCONT')
      await handed
      expect(stateOf(tracee.pid)).toBe('T')
      expect(readFileSync(`/proc/${tracee.pid}/syscall`, 'latin1')).toContain(pc.toString(16))
    }
  })

  it.each(tracings)('at its group stop is left in it, many times over (%s)', async trace => {
    for (let i = 0; i < 30; i++) {
      const { tracee, text } = await ready(trace)
      await using _ = tracee
      tracee.kill('SIGSTOP')
      await tracee.wait()
      tracee.cont('SIGSTOP')
      await tracee.wait()
      await tracee.handOff()
      expect(stateOf(tracee.pid)).toBe('T')
      tracee.kill('SIGCONT')
      tracee.kill('SIGUSR1')
      await until('it runs on', () => text() === '10 0 0\n')
    }
  })

  it.each(tracings)('takes no stop of its own for one of its user’s (%s)', async trace => {
    const { tracee } = await ready(trace)
    await using _ = tracee
    const shown: unknown[] = []
    tracee.kill('SIGUSR1')
    await tracee.wait()
    tracee.on('stop', stop => shown.push(stop))
    const leaving = tracee.handOff()
    expect(tracee.stop).toBeNull()
    await leaving
    expect(shown).toEqual([])
  })

  it.each(tracings)('after its death is refused, and its end is reported (%s)', async trace => {
    const { tracee } = await ready(trace)
    await using _ = tracee
    tracee.kill('SIGUSR1')
    await tracee.wait()
    tracee.kill('SIGKILL')
    await tracee.handOff().catch(error => expect(error).toMatchObject({ code: 'ESRCH' }))
    expect(await tracee.exited).toMatchObject({ signal: 'SIGKILL' })
  })

  it.skipIf(gdb !== undefined).each(tracings)(
    `is taken over by gdb, which sees the signal that is pending (%s)${gdb === undefined ? '' : ` [skipped: ${gdb}]`}`,
    async trace => {
      const { tracee } = await ready(trace)
      await using _ = tracee
      await untilState(tracee.pid, 'S')
      execFileSync(sendValue, [String(tracee.pid), '10', '4242'])
      await tracee.wait()
      await tracee.handOff()
      const commands = [
        'handle SIGSTOP nostop noprint nopass',
        'continue',
        'print $_siginfo.si_signo',
        'print $_siginfo._sifields._rt.si_sigval.sival_int',
        'kill',
      ]
      const args = ['-q', '-batch', '-nx', '-p', String(tracee.pid), ...commands.flatMap(each => ['-ex', each])]
      const { stdout } = await promisify(execFile)('gdb', args, {
        timeout: processLimitMs,
        env: { ...process.env, DEBUGINFOD_URLS: '' },
      })
      expect(stdout).toMatch(/received signal SIGUSR1/)
      expect(stdout).toMatch(/\$1 = 10\n\$2 = 4242/)
      expect(await tracee.exited).toMatchObject({ signal: 'SIGKILL' })
    },
  )
})
