/** A child as its parent sees it: events, end, signals, disposal. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import type { Child } from '../../../lib/launch/handles/child.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { constants } from '../../../lib/system/constants.ts'
import { modes, optionsOf, tracedModes } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { runNode, whyNot } from '../support/node.ts'
import { stateOf, untilState } from '../support/processes.ts'
import { textOf } from '../support/streams.ts'

/** The events that both kinds of child emit, in order. */
function eventsOf(child: Pick<Child, 'on' | 'stdin' | 'stdout'> | ReturnType<typeof spawn>): Promise<string[]> {
  const events: string[] = []
  const emitter = child as Child
  emitter.stdout?.on('data', () => events.push('data'))
  emitter.stdout?.on('end', () => events.push('end of stdout'))
  emitter.stdout?.on('close', () => {
    events.push('close of stdout')
    emitter.stdin?.end('go on\n')
  })
  emitter.on('exit', (code, signal) => {
    events.push(`exit ${code} ${signal}, stdin ${emitter.stdin?.destroyed ? 'destroyed' : 'open'}`)
  })
  return new Promise(resolve =>
    emitter.on('close', (code, signal) => {
      events.push(`close ${code} ${signal}`)
      resolve(events)
    }),
  )
}

const built = whyNot('true')

describeNative('a child', system => {
  it('reports its end as child_process does: exit, its streams’ ends, close', async () => {
    const line = 'echo out; exec >&- 2>&-; read line; exit 3'
    await using ours = await launch('/bin/sh', ['-c', line], { trace: false })
    const theirs = spawn('/bin/sh', ['-c', line])
    const [mine, wanted] = await Promise.all([eventsOf(ours), eventsOf(theirs)])
    expect(mine).toEqual(wanted)
    expect(mine).toEqual(['data', 'end of stdout', 'close of stdout', 'exit 3 null, stdin destroyed', 'close 3 null'])
  })

  it.each(modes)('resolves exited with its code and what it used ($name)', async mode => {
    await using child = await launch(
      '/bin/sh',
      ['-c', 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 7'],
      optionsOf(mode),
    )
    if ('run' in child) void child.run()
    const exit = await child.exited
    expect(exit).toMatchObject({ kind: 'exited', code: 7, signal: null })
    expect(exit.rusage.userCPUTime + exit.rusage.systemCPUTime).toBeGreaterThan(0)
    expect(exit.rusage.maxRSS).toBeGreaterThan(100)
    expect(stateOf(child.pid)).toBe('gone')
  })

  it.each(modes)('that is killed reports the signal, in exited and in its events ($name)', async mode => {
    await using child = await launch('/bin/sleep', ['60'], optionsOf(mode))
    const exit = once(child, 'exit')
    const close = once(child, 'close')
    expect(child.kill('SIGKILL')).toBe(true)
    expect(await child.exited).toMatchObject({ kind: 'signaled', code: null, signal: 'SIGKILL', coreDumped: false })
    expect(await exit).toEqual([null, 'SIGKILL'])
    expect(await close).toEqual([null, 'SIGKILL'])
    expect(child.kill()).toBe(false)
    expect(child.kill('SIGKILL')).toBe(false)
  })

  it('is sent SIGTERM when no signal is named, and nothing by signal 0', async () => {
    await using child = await launch('/bin/sleep', ['60'], { trace: false })
    expect(child.kill(0)).toBe(true)
    expect(stateOf(child.pid)).toMatch(/[RSD]/)
    expect(child.kill()).toBe(true)
    expect(await child.exited).toMatchObject({ signal: 'SIGTERM' })
  })

  it.each([
    ['a name that is none', 'SIGNONE', 'ERR_UNKNOWN_SIGNAL'],
    ['a wrong type', {}, 'ERR_INVALID_ARG_TYPE'],
    ['a number that is no signal', 999, 'EINVAL'],
  ])('refuses to be signalled by %s', async (_, signal, code) => {
    await using child = await launch('/bin/cat', [], { trace: false })
    expect(() => child.kill(signal as never)).toThrow(expect.objectContaining({ code }))
    expect(stateOf(child.pid)).toMatch(/[RSD]/)
  })

  it('that ends at once still emits its events to listeners added when the launch resolves', async () => {
    const rounds = Array.from({ length: 12 }, async () => {
      for (let i = 0; i < 15; i++) {
        const child = await launch('/bin/echo', ['x'], { trace: false })
        const [text, exit, close] = [textOf(child.stdout), once(child, 'exit'), once(child, 'close')]
        expect(await text).toBe('x\n')
        expect(await exit).toEqual([0, null])
        expect(await close).toEqual([0, null])
      }
    })
    await Promise.all(rounds)
  })

  it('whose output is never read closes all the same', async () => {
    await using child = await launch('/bin/sh', ['-c', 'head -c 30000 /dev/zero; echo err >&2'], { trace: false })
    await once(child, 'close')
    expect(child.stdio.map(stream => stream?.fd)).toEqual([-1, -1, -1])
  })

  it.each(modes)('disposed of is killed and reaped, its streams closed ($name)', async mode => {
    let pid = 0
    let streams: Child['stdio'] = []
    {
      await using child = await launch('/bin/sleep', ['60'], optionsOf(mode))
      pid = child.pid
      streams = child.stdio
    }
    expect(stateOf(pid)).toBe('gone')
    expect(streams.map(stream => stream?.fd)).toEqual([-1, -1, -1])
  })

  it.each(tracedModes)('disposed of many times, at any point of its life, is disposed of once ($name)', async mode => {
    const child = await launch('/bin/sleep', ['60'], optionsOf(mode))
    child.cont()
    await Promise.all([child[Symbol.asyncDispose](), child[Symbol.asyncDispose]()])
    await child[Symbol.asyncDispose]()
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' })
  })

  it.each(modes)('that a stranger reaped rejects exited with ECHILD ($name)', async mode => {
    const child = await launch('/bin/sleep', ['60'], optionsOf(mode))
    child.kill('SIGKILL')
    // All within one turn, before the event loop can report the end.
    while (stateOf(child.pid) !== 'Z') {}
    system.waitpid(child.pid, constants.__WALL)
    await expect(child.exited).rejects.toMatchObject({ code: 'ECHILD', pid: child.pid })
    expect(child.kill()).toBe(false)
    if ('wait' in child) {
      await expect(child.wait()).rejects.toMatchObject({ code: 'ECHILD' })
      expect(() => child.waitSync()).toThrow(expect.objectContaining({ code: 'ECHILD' }))
      await expect(child.run()).rejects.toMatchObject({ code: 'ECHILD' })
      expect(() => child.cont()).toThrow(expect.objectContaining({ code: 'ESRCH' }))
    }
    await child[Symbol.asyncDispose]()
  })

  it.skipIf(built !== undefined)(
    'with a listener that throws leaves the others their ends, and is an uncaught exception',
    async () => {
      const ran = await runNode(`
      const uncaught = []
      process.on('uncaughtException', error => uncaught.push(error.message))
      const children = await Promise.all(Array.from({ length: 6 }, () => launch('/bin/cat', [], { trace: false })))
      const ends = children.map(child => child.exited.then(exit => exit.code))
      children.forEach((child, i) => child.on('exit', () => { if (i % 2 === 0) throw new Error('fault ' + i) }))
      for (const child of children) child.stdin.end()
      const codes = await Promise.all(ends)
      setTimeout(() => report({ codes, uncaught: uncaught.sort() }), 50)`)
      expect(ran.reports).toEqual([{ codes: [0, 0, 0, 0, 0, 0], uncaught: ['fault 0', 'fault 2', 'fault 4'] }])
    },
  )

  it.skipIf(built !== undefined).each([
    ['held', `const child = await launch('/bin/sleep', ['60'])`],
    ['running', `const child = await launch('/bin/sleep', ['60'], { trace: false })`],
    ['handed off', `const child = await launch('/bin/sleep', ['60']); await child.handOff()`],
    [
      'referenced again',
      `const child = await launch('/bin/sleep', ['60'], { trace: false }); child.unref(); child.ref()`,
    ],
  ])('keeps its parent alive while it lives (%s)', async (_, begin) => {
    // The timer is unreferenced. It shows only that the process stayed alive.
    const ran = await runNode(`${begin}
      setTimeout(() => { report('stayed'); child.kill('SIGKILL') }, 60).unref()
      process.on('exit', () => report('end'))`)
    expect(ran).toMatchObject({ code: 0, reports: ['stayed', 'end'] })
  })

  it.skipIf(built !== undefined)('unreferenced and then disposed of is waited for', async () => {
    const ran = await runNode(`const child = await launch('/bin/sleep', ['60'], { trace: false })
      child.unref()
      await child[Symbol.asyncDispose]()
      report((await child.exited).signal)`)
    expect(ran).toMatchObject({ code: 0, reports: ['SIGKILL'] })
  })

  it.skipIf(built !== undefined).each([
    ['held', `const child = await launch('/bin/sleep', ['60'], {}); child.unref()`, 'gone'],
    ['running', `const child = await launch('/bin/sleep', ['60'], { trace: false }); child.unref()`, 'S'],
  ])('unreferenced lets its parent end (%s)', async (_, begin, state) => {
    const ran = await runNode(`${begin}
      setTimeout(() => report('stayed'), 5000).unref()
      report(child.pid)`)
    expect(ran).toMatchObject({ code: 0, signal: null })
    expect(ran.reports).toHaveLength(1)
    const pid = Number(ran.reports[0])
    await untilState(pid, state === 'gone' ? 'goneZ' : state)
    if (state !== 'gone') process.kill(pid, 'SIGKILL')
  })
})
