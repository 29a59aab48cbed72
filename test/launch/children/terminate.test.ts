/** child.terminate(): a signal, a grace, and SIGKILL, for a child alone, or traced, or simulated. */

import { describe, expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { openSystem } from '../../../lib/open-system.ts'
import { SimulatedKernel } from '../../../lib/sim/index.ts'
import { rejection } from '../../contract/helpers.ts'
import { describeNative, withCalls } from '../support/native.ts'
import { runNode } from '../support/node.ts'
import { stateOf, untilState } from '../support/processes.ts'
import { started, waits } from '../support/started.ts'

describeNative('terminate', () => {
  it('sends SIGTERM and resolves with the end, as exited does but for the usage', async () => {
    const [child] = await started('echo ready; exec sleep 1000')
    expect(await child.terminate()).toEqual({ kind: 'signaled', code: null, signal: 'SIGTERM', coreDumped: false })
    expect(await child.exited).toMatchObject({ signal: 'SIGTERM', rusage: {} })
  })

  it('lets a program that handles the signal end by itself', async () => {
    const [child] = await started(`trap 'exit 5' TERM; echo ready; ${waits}`)
    const exited = { kind: 'exited', code: 5, signal: null }
    expect(await child.terminate({ graceMs: 60_000 })).toEqual(exited)
  })

  it('takes another signal', async () => {
    const [child] = await started(`trap 'exit 6' HUP; echo ready; ${waits}`)
    expect(await child.terminate({ signal: 'SIGHUP', graceMs: 60_000 })).toMatchObject({ code: 6 })
  })

  it('kills after the grace, and not before', async () => {
    const [child] = await started(`trap '' TERM; echo ready; ${waits}`)
    const begun = performance.now()
    expect(await child.terminate({ graceMs: 120 })).toMatchObject({ signal: 'SIGKILL' })
    expect(performance.now() - begun).toBeGreaterThanOrEqual(119)
  })

  it('waits without end where the grace is infinite', async () => {
    const [child] = await started(`n=0; trap 'n=$((n+1)); [ $n = 2 ] && exit 3; echo once' TERM; echo ready; ${waits}`)
    const once = new Promise(resolve => child.stdout!.once('data', resolve))
    const ended = child.terminate({ graceMs: Number.POSITIVE_INFINITY })
    // A second signal that comes before the shell has taken the first is one with it.
    await once
    child.kill()
    expect(await ended).toMatchObject({ code: 3 })
  })

  it('continues a stopped program, which ends by the signal', async () => {
    const [child] = await started('echo ready; exec sleep 1000')
    child.kill('SIGSTOP')
    await untilState(child.pid, 'T')
    expect(await child.terminate({ graceMs: 60_000 })).toMatchObject({ signal: 'SIGTERM' })
  })

  it('keeps the event loop alive, even for a child that does not', async () => {
    const { stdout } = await runNode(`
      const child = await launch('/bin/sleep', ['1000'], { trace: false, stdio: 'ignore' })
      child.unref()
      report((await child.terminate()).signal)`)
    expect(stdout).toBe('"SIGTERM"\n')
  })

  it('called twice settles twice, and the shorter grace counts', async () => {
    const [child] = await started(`trap '' TERM; echo ready; ${waits}`)
    const both = [child.terminate({ graceMs: 60_000 }), child.terminate({ graceMs: 0 })]
    expect(await Promise.all(both)).toMatchObject([{ signal: 'SIGKILL' }, { signal: 'SIGKILL' }])
  })

  it('after the end sends nothing', async () => {
    const sent: unknown[] = []
    const real = openSystem('native')
    const kill = (pid: number, signal: never) => {
      sent.push(signal)
      real.kill(pid, signal)
    }
    const child = await launch('/bin/true', [], { trace: false, system: withCalls(real, { kill }) })
    await child.exited
    expect(await child.terminate()).toEqual({ kind: 'exited', code: 0, signal: null })
    expect(sent).toEqual([])
  })

  it('rejects as exited does where other code has reaped the child', async () => {
    const child = await launch('/bin/sleep', ['1000'], { trace: false, stdio: 'ignore' })
    openSystem('native').kill(child.pid, 'SIGKILL')
    openSystem('native').waitpid(child.pid)
    expect(await rejection(child.terminate())).toMatchObject({ code: 'ECHILD' })
  })

  it('in beforeExec ends the launch', async () => {
    let ended: Promise<unknown> | undefined
    const launching = launch('/bin/true', [], {
      beforeExec: async child => {
        ended = child.terminate()
        await ended
      },
    })
    expect(await rejection(launching)).toMatchObject({ code: 'ERR_CHILD_DIED' })
    expect(await ended).toMatchObject({ signal: 'SIGTERM' })
  })

  it('refuses what cannot be, before it sends anything', async () => {
    const [child] = await started('echo ready; exec sleep 1000')
    for (const [wrong, code] of [
      [{ signal: 'SIGNONE' }, 'ERR_UNKNOWN_SIGNAL'],
      [{ signal: 0 }, 'ERR_OUT_OF_RANGE'],
      [{ signal: 65 }, 'ERR_OUT_OF_RANGE'],
      [{ graceMs: '1' }, 'ERR_INVALID_ARG_TYPE'],
      [{ graceMs: Number.NaN }, 'ERR_OUT_OF_RANGE'],
      [{ group: 1 }, 'ERR_INVALID_ARG_TYPE'],
      [{ group: true }, 'ERR_INVALID_ARG_VALUE'],
      [{ grace: 1 }, 'ERR_INVALID_ARG_VALUE'],
      [null, 'ERR_INVALID_ARG_TYPE'],
    ] as const) {
      expect(await rejection(child.terminate(wrong as never)), JSON.stringify(wrong)).toMatchObject({ code })
    }
    expect(stateOf(child.pid)).toMatch(/[SRD]/)
    await child.terminate()
  })
})

describeNative('terminate of a tracee', () => {
  it.each(['traceme', 'seize'] as const)('at its exec stop runs it to its end: %s', async trace => {
    const tracee = await launch('/bin/sleep', ['1000'], { trace, stdio: 'ignore' })
    expect(await tracee.terminate({ graceMs: 60_000 })).toMatchObject({ signal: 'SIGTERM' })
    expect(tracee.stop).toBeNull()
  })

  it.each(['traceme', 'seize'] as const)('lets its program handle the signal: %s', async trace => {
    const tracee = await launch('/bin/sh', ['-c', `trap 'exit 4' TERM; echo; ${waits}`], {
      trace,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    tracee.cont()
    await new Promise(resolve => tracee.stdout.once('data', resolve))
    expect(await tracee.terminate({ graceMs: 60_000 })).toMatchObject({ code: 4 })
  })

  it.each(['traceme', 'seize'] as const)(
    'kills one that ignores it, while a loop passes its stops on: %s',
    async trace => {
      const tracee = await launch('/bin/sh', ['-c', `trap '' TERM; echo; ${waits}`], {
        trace,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const loop = (async () => {
        for await (const stop of tracee.stops()) tracee.cont(stop.event ? undefined : stop.signal)
      })()
      await new Promise(resolve => tracee.stdout.once('data', resolve))
      expect(await tracee.terminate({ graceMs: 100 })).toMatchObject({ signal: 'SIGKILL' })
      await loop
    },
  )

  it.each(['traceme', 'seize'] as const)(
    'kills none that obeys while the event loop is blocked past the grace: %s',
    async trace => {
      const tracee = await launch('/bin/sh', ['-c', `trap 'exit 4' TERM; echo; ${waits}`], {
        trace,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      tracee.cont()
      await new Promise(resolve => tracee.stdout.once('data', resolve))
      const ended = tracee.terminate({ graceMs: 20 })
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
      expect(await ended).toMatchObject({ code: 4 })
    },
  )

  it('that was handed off continues it', async () => {
    const tracee = await launch('/bin/sleep', ['1000'], { stdio: 'ignore' })
    await tracee.handOff()
    expect(await tracee.terminate({ graceMs: 60_000 })).toMatchObject({ signal: 'SIGTERM' })
  })
})

describe('terminate in the simulated system', () => {
  const stubborn = function* (process: Parameters<Parameters<SimulatedKernel['install']>[1]>[0]) {
    yield* process.sigaction('SIGTERM', 'ignore')
    for (;;) yield* process.sleep(1000)
  }

  it('ends a program by the signal, or after the grace', async () => {
    const kernel = new SimulatedKernel()
    kernel.install('/bin/stubborn', stubborn)
    const sleeper = await launch('/bin/sleep', ['1000'], { system: kernel.host, trace: false, stdio: 'ignore' })
    expect(await sleeper.terminate()).toMatchObject({ signal: 'SIGTERM' })
    const child = await launch('/bin/stubborn', { system: kernel.host, trace: false, stdio: 'ignore' })
    await kernel.host.sleep(1)
    const begun = kernel.host.now()
    expect(await child.terminate()).toMatchObject({ signal: 'SIGKILL' })
    expect(kernel.host.now() - begun).toBe(5000)
  })

  it('ends a group with its members', async () => {
    const kernel = new SimulatedKernel()
    kernel.install('/bin/parent', function* (process) {
      yield* process.fork(stubborn)
      for (;;) yield* process.sleep(1000)
    })
    const child = await launch('/bin/parent', { system: kernel.host, trace: false, stdio: 'ignore', detached: true })
    await kernel.host.sleep(1)
    expect(await child.terminate({ graceMs: 100 })).toMatchObject({ signal: 'SIGTERM' })
    expect(() => kernel.host.kill(-child.pid, 0)).toThrow('ESRCH')
  })
})
