/** A child reaped by another waiter of the process: every wait for it ends with ECHILD. */

import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { Child } from '../../../lib/launch/handles/child.ts'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { SimulatedKernel } from '../../../lib/sim/index.ts'
import { constants } from '../../../lib/system/constants.ts'
import type { System } from '../../../lib/system/system.ts'
import { modes, optionsOf, tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'

const { WNOHANG, __WALL } = constants

/** Kills a child and reaps it, as a waitpid(-1) of other code would. */
function reap(system: System, pid: number): void {
  system.kill(pid, 'SIGKILL')
  for (;;) {
    const { status } = system.waitpid(pid, __WALL)!
    if (status.kind !== 'stopped') return
  }
}

function tests(openSystem: () => System): void {
  it.each(modes)('before its exec, at the gate, rejects the launch with ECHILD ($name)', async mode => {
    const system = openSystem()
    const launching = launch('/bin/true', [], {
      ...optionsOf(mode),
      system,
      beforeExec: child => reap(system, child.pid),
    })
    await expect(launching).rejects.toMatchObject({ name: 'SystemError', code: 'ECHILD', step: 'waitpid' })
  })

  it.each(modes)('while beforeExec waits for something else rejects the launch with ECHILD ($name)', async mode => {
    const system = openSystem()
    const launching = launch('/bin/true', [], {
      ...optionsOf(mode),
      system,
      beforeExec: async child => {
        reap(system, child.pid)
        await system.sleep(1)
      },
    })
    await expect(launching).rejects.toMatchObject({ code: 'ECHILD', step: 'waitpid' })
  })

  it('whose first stop another waiter takes rejects the launch with ECHILD', async () => {
    const system = openSystem()
    const launching = launch('/bin/true', [], { trace: 'traceme', stdio: 'ignore', system })
    expect(system.waitpid(-1, __WALL)?.status).toEqual({ kind: 'stopped', signal: 'SIGSTOP' })
    await expect(launching).rejects.toMatchObject({ code: 'ECHILD', step: 'waitpid' })
  })

  it('may have its stops taken by beforeExec, without an error', async () => {
    const system = openSystem()
    await using tracee = await launch('/bin/true', [], {
      trace: 'seize',
      stdio: 'ignore',
      system,
      async beforeExec({ pid }) {
        system.ptraceInterrupt(pid)
        expect(system.waitpid(pid, __WALL)?.status).toMatchObject({ kind: 'stopped', event: 'stop' })
        // SIGCHLD arrives meanwhile, with no event left to read.
        await system.sleep(5)
        system.ptraceCont(pid)
      },
    })
    expect((tracee as Tracee).stop).toMatchObject({ event: 'exec' })
  })

  it.each(['traceme', 'seize', false] as const)(
    'ends every wait for a child that was launched (trace: %s)',
    async trace => {
      const system = openSystem()
      const child = (await launch('/bin/cat', [], { trace, system })) as Child
      const exit = once(child, 'exit')
      const close = once(child, 'close')
      reap(system, child.pid)
      await expect(child.exited).rejects.toMatchObject({ code: 'ECHILD' })
      expect(await exit).toEqual([null, null])
      expect(await close).toEqual([null, null])
      expect(child.kill()).toBe(false)
      await child[Symbol.asyncDispose]()
    },
  )

  it.each(tracings)('ends the waits of a tracee (%s)', async trace => {
    const system = openSystem()
    const tracee = (await launch('/bin/cat', [], { trace, system })) as Tracee
    tracee.cont()
    const ended = { name: 'SystemError', code: 'ECHILD' }
    const stops = (async () => {
      for await (const stop of tracee.stops()) expect(stop.kind).toBe('stopped')
    })()
    const waits = [tracee.wait(), tracee.run(), stops].map(wait => expect(wait).rejects.toMatchObject(ended))
    reap(system, tracee.pid)
    await Promise.all(waits)
  })

  it('is not signalled by kill(): its number may be another process', async () => {
    const system = openSystem()
    const child = await launch('/bin/cat', [], { trace: false, system })
    reap(system, child.pid)
    expect(child.kill('SIGTERM')).toBe(false)
    await expect(child.exited).rejects.toMatchObject({ code: 'ECHILD' })
  })
}

describeNative('a child that is reaped elsewhere', system => tests(() => system))
describe('a simulated child that is reaped elsewhere', () => {
  tests(() => new SimulatedKernel().host)

  it.each(tracings)('whose stops go to an earlier listener rejects the launch with ECHILD (%s)', async trace => {
    const system = new SimulatedKernel().host
    system.onChildChange(() => {
      try {
        while (system.waitpid(-1, WNOHANG | __WALL) !== null) {}
      } catch {}
    })
    const launching = launch('/bin/true', [], { trace, stdio: 'ignore', system })
    await expect(launching).rejects.toMatchObject({ code: 'ECHILD', step: 'waitpid' })
  })
})
