/** A tracee's stops as its listeners and loops get them. */

import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { uncaughtDuring } from '../../support/uncaught.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { stateOf } from '../support/processes.ts'

const signalStop = (signal: string) => ({ kind: 'stopped', signal })

describeNative('a tracee', () => {
  it.each(tracings)('emits each of its stops (%s)', async trace => {
    await using tracee = await launch('/bin/sh', ['-c', 'kill -USR1 $$; kill -USR2 $$'], { trace })
    const stops: string[] = []
    tracee.on('stop', stop => {
      stops.push(stop.signal)
      expect(tracee.stop).toEqual(stop)
      tracee.cont()
    })
    tracee.cont()
    expect(await tracee.exited).toMatchObject({ code: 0 })
    expect(stops).toEqual(['SIGUSR1', 'SIGUSR2'])
  })

  it.each(tracings)('is iterated over from the stop it is at to its end (%s)', async trace => {
    await using tracee = await launch('/bin/sh', ['-c', 'kill -USR1 $$; kill -USR2 $$; exit 3'], { trace })
    const stops: string[] = []
    for await (const stop of tracee.stops()) {
      stops.push(stop.event ?? stop.signal)
      tracee.cont()
    }
    expect(stops).toEqual(['exec', 'SIGUSR1', 'SIGUSR2'])
    expect(await tracee.exited).toMatchObject({ code: 3 })
    for await (const stop of tracee.stops()) expect.unreachable(`a stop after its end: ${stop.signal}`)
  })

  it('left alone in the middle of its stops leaves no listener', async () => {
    await using tracee = await launch('/bin/true')
    for await (const stop of tracee.stops()) {
      expect(stop.event).toBe('exec')
      break
    }
    expect(tracee.listenerCount('stop')).toBe(0)
    expect(tracee.stop).toMatchObject({ event: 'exec' })
  })

  it.each(tracings)(
    'is iterated over without the stops that the loop itself has waited for and left (%s)',
    async trace => {
      await using tracee = await launch('/bin/sh', ['-c', 'kill -USR1 $$; kill -USR2 $$; kill -ALRM $$; exit 3'], {
        trace,
      })
      const given: string[] = []
      for await (const stop of tracee.stops()) {
        given.push(stop.event ?? stop.signal)
        // Stops that the body consumes by wait() are yielded only if the tracee is still at them.
        tracee.cont()
        if (stop.event !== 'exec') continue
        expect(await tracee.wait()).toEqual(signalStop('SIGUSR1'))
        tracee.cont()
        expect(await tracee.wait()).toEqual(signalStop('SIGUSR2'))
      }
      expect(given).toEqual(['exec', 'SIGUSR2', 'SIGALRM'])
      expect(await tracee.exited).toMatchObject({ code: 3 })
    },
  )

  it('is iterated over twice at once, each loop given what is a stop when it looks', async () => {
    await using tracee = await launch('/bin/sh', ['-c', 'kill -USR1 $$; exit 3'])
    const given: string[][] = [[], []]
    await Promise.all(
      given.map(async stops => {
        for await (const stop of tracee.stops()) {
          stops.push(stop.event ?? stop.signal)
          await Promise.resolve()
          if (tracee.stop === stop) tracee.cont()
        }
      }),
    )
    expect(given).toEqual([
      ['exec', 'SIGUSR1'],
      ['exec', 'SIGUSR1'],
    ])
  })

  it('whose stop listener throws runs to its end under run() all the same', async () => {
    await using tracee = await launch('/bin/sh', ['-c', 'kill -WINCH $$; exit 3'])
    const uncaught = await uncaughtDuring(async () => {
      tracee.on('stop', () => {
        throw new Error('a listener’s fault')
      })
      expect(await tracee.run()).toMatchObject({ code: 3 })
    })
    expect(uncaught).toContainEqual(expect.objectContaining({ message: 'a listener’s fault' }))
  })

  it('sent on by its stop listener under run() loses no signal', async () => {
    await using tracee = await launch('/bin/sh', ['-c', 'trap "exit 4" USR1; kill -WINCH $$; kill -USR1 $$; exit 3'])
    tracee.on('stop', stop => {
      if (stop.signal !== 'SIGWINCH') return
      tracee.cont()
      // The next stop is there before run() has seen this one.
      const end = performance.now() + 20_000
      while (stateOf(tracee.pid) !== 't' && performance.now() < end) {}
    })
    expect(await tracee.run()).toMatchObject({ code: 4 })
  })

  it('whose stop listener throws is waited for all the same', async () => {
    await using tracee = await launch('/bin/cat')
    const uncaught: unknown[] = []
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', error => uncaught.push(error.message))
    tracee.once('stop', () => {
      throw new Error('a listener’s fault')
    })
    tracee.cont()
    const waiting = tracee.wait({ timeoutMs: 20_000 })
    tracee.kill('SIGUSR1')
    const stop = await waiting.catch(error => error)
    process.removeAllListeners('uncaughtException')
    for (const other of others) process.on('uncaughtException', other)
    expect(stop).toEqual(signalStop('SIGUSR1'))
    expect(uncaught).toEqual(['a listener’s fault'])
  })
})
