/** A simulated tracee takes the same course as one on Linux. */

import { describe, expect, it } from 'vitest'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { type Program, SimulatedKernel } from '../../../lib/sim/index.ts'
import { tracings } from '../support/modes.ts'

/** Counts handled SIGUSR1, and exits with the count at SIGUSR2. */
const counts: Program = function* (process) {
  let handled = 0
  let isOver = false
  // biome-ignore lint/correctness/useYield: a handler that makes no call
  yield* process.sigaction('SIGUSR1', function* () {
    handled++
  })
  // biome-ignore lint/correctness/useYield: a handler that makes no call
  yield* process.sigaction('SIGUSR2', function* () {
    isOver = true
  })
  while (!isOver) {
    try {
      yield* process.pause()
    } catch {}
  }
  return handled
}

const stopsItself: Program = function* (process) {
  yield* process.raise('SIGSTOP')
  return 5
}

const calls: Program = function* (process) {
  const [r, w] = yield* process.pipe2()
  yield* process.close(r)
  yield* process.close(w)
  return 0
}

const programs = { '/counts': counts, '/stops': stopsItself, '/calls': calls }

describe('a simulated tracee', () => {
  async function start(program: keyof typeof programs, trace: 'traceme' | 'seize'): Promise<Tracee> {
    return launch(program, [], { system: new SimulatedKernel({ programs }).host, trace })
  }

  it.each(tracings)('gets the signal that is given at its exec event, and shows no stop for it (%s)', async trace => {
    const tracee = await start('/stops', trace)
    const shown: unknown[] = []
    tracee.on('stop', stop => shown.push(stop))
    tracee.cont('SIGTERM')
    expect(await tracee.wait()).toMatchObject({ signal: 'SIGTERM', kind: 'signaled' })
    expect(shown).toEqual([])
  })

  it.each(tracings)('shows the calls of its program by pairs, not the exit of its exec (%s)', async trace => {
    const tracee = await start('/calls', trace)
    let stops = 0
    for await (const stop of tracee.stops()) {
      if (stop.event === 'syscall') stops++
      tracee.syscall()
    }
    // pipe2 and two closes, each with entry and exit, then exit_group, which has only an entry.
    expect(stops % 2).toBe(1)
    expect(stops).toBe(7)
  })

  it.each(tracings)('is kept in its group stop by run() until SIGCONT (%s)', async trace => {
    const { host } = new SimulatedKernel({ programs })
    const tracee = await launch('/stops', [], { system: host, trace })
    const end = tracee.run()
    void host.sleep(100).then(() => host.kill(tracee.pid, 'SIGCONT'))
    expect(await end).toMatchObject({ code: 5 })
    expect(host.now()).toBeGreaterThanOrEqual(100)
  })

  it.each(tracings)('is handed off with its signal pending (%s)', async trace => {
    const tracee = await start('/counts', trace)
    tracee.cont()
    await tracee.wait({ timeoutMs: 10 }).catch(() => {})
    tracee.kill('SIGUSR1')
    expect(await tracee.wait()).toEqual({ kind: 'stopped', signal: 'SIGUSR1' })
    await tracee.handOff()
    await expect(tracee.handOff()).rejects.toMatchObject({ code: 'ESRCH' })
    tracee.kill('SIGCONT')
    tracee.kill('SIGUSR2')
    expect(await tracee.exited).toMatchObject({ code: 1 })
  })

  it.each(tracings)('is handed off at its exec before a signal that will end it (%s)', async trace => {
    const tracee = await start('/counts', trace)
    tracee.kill('SIGTERM')
    await tracee.handOff()
    tracee.kill('SIGCONT')
    expect(await tracee.exited).toMatchObject({ signal: 'SIGTERM' })
  })

  it.each(tracings)('is detached with the signal that it stopped for (%s)', async trace => {
    const tracee = await start('/counts', trace)
    tracee.cont()
    await tracee.wait({ timeoutMs: 10 }).catch(() => {})
    tracee.kill('SIGUSR1')
    await tracee.wait()
    await tracee.detach()
    tracee.kill('SIGUSR2')
    expect(await tracee.exited).toMatchObject({ code: 1 })
  })

  it('is waited for anew after it was sent on by a request of System’s own', async () => {
    const { host } = new SimulatedKernel({ programs })
    const tracee = await launch('/stops', [], { system: host, trace: 'seize' })
    host.ptraceCont(tracee.pid)
    expect(await tracee.wait()).toEqual({ kind: 'stopped', signal: 'SIGSTOP' })
    tracee.cont('SIGSTOP')
    expect(await tracee.wait()).toMatchObject({ event: 'stop', signal: 'SIGSTOP' })
    host.ptraceListen(tracee.pid)
    const stop = tracee.wait()
    host.kill(tracee.pid, 'SIGCONT')
    expect(await stop).toMatchObject({ event: 'stop', signal: 'SIGTRAP' })
    expect(await tracee.run()).toMatchObject({ code: 5 })
  })
})
