/** A vfork parent waits in the kernel for its child, where no stop reaches it. */

import { execFileSync } from 'node:child_process'
import { closeSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { constants } from '../../../lib/system/constants.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { stateOf, statusOf, until, untilInVfork, untilState } from '../support/processes.ts'

const title = `a parent that waits for its vfork child${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`
const ways = tracings.flatMap(trace => (['threads', 'all', false] as const).map(follow => ({ trace, follow })))

describeNative(title, system => {
  if (whyNoCompiler !== undefined) return it.skip('is not stopped', () => {})
  const folder = temporaryFolder()
  const threads = compile(folder, 'threads')
  const sendValue = compile(folder, 'send-value')

  /** A program that is in its vfork: its child waits for a byte, then ends with 5; the program ends with 7. */
  async function inVfork(
    options: { trace: 'traceme' | 'seize'; follow: 'threads' | 'all' | false },
    script = 'v(r0x5)x7',
  ) {
    const [childEnd, ours] = system.pipe2(constants.O_CLOEXEC)
    const tracee = await launch(threads, [script], { ...options, stdio: [childEnd, 'ignore', 2] })
    closeSync(childEnd)
    return {
      tracee: tracee as unknown as Tracee,
      go: () => system.write(ours, Uint8Array.of(1)),
      [Symbol.dispose]: () => closeSync(ours),
    }
  }

  it.each(ways)('rejects stopAll() after its time, and goes on ($trace, follow $follow)', async way => {
    using started = await inVfork(way)
    const { tracee, go } = started
    await using _ = tracee
    const run = tracee.run()
    await untilInVfork(tracee.pid)
    for (let i = 0; i < 3; i++) {
      await expect(tracee.stopAll({ timeoutMs: 30 })).rejects.toMatchObject({ code: 'ERR_TIMED_OUT' })
      expect(stateOf(tracee.pid)).toBe('D')
    }
    expect(tracee.stop).toBeNull()
    // Waits as long as it takes.
    const stopped = tracee.stopAll()
    go()
    await stopped
    expect(stateOf(tracee.pid)).toBe('t')
    expect(tracee.stop).toMatchObject({ reason: 'interrupt' })
    tracee.contAll()
    expect(await run).toMatchObject({ code: 7 })
  })

  it.each(ways)(
    'rejects detach() and handOff() after their time, and loses no signal ($trace, follow $follow)',
    async way => {
      using started = await inVfork(way)
      const { tracee, go } = started
      await using _ = tracee
      const run = tracee.run()
      const signals: unknown[] = []
      await untilInVfork(tracee.pid)
      execFileSync(sendValue, [String(tracee.pid), '10', '4242'])
      await expect(tracee.detach({ timeoutMs: 30 })).rejects.toMatchObject({ code: 'ERR_TIMED_OUT' })
      await expect(tracee.handOff({ timeoutMs: 30 })).rejects.toMatchObject({ code: 'ERR_TIMED_OUT' })
      expect(tracee.tracing).toBe(way.trace)
      expect(statusOf(tracee.pid, 'TracerPid')).not.toBe(0)
      tracee.on('stop', stop => {
        if (stop.signal === 'SIGUSR1') signals.push(tracee.signalInfo())
      })
      go()
      expect(await run).toMatchObject({ signal: 'SIGUSR1' })
      expect(signals).toEqual([expect.objectContaining({ signal: 'SIGUSR1', code: -1, value: 4242n })])
    },
  )

  it.each(ways)('is let go once it is out of it, with what was sent meanwhile ($trace, follow $follow)', async way => {
    for (const how of ['detach', 'handOff'] as const) {
      using started = await inVfork(way)
      const { tracee, go } = started
      await using _ = tracee
      const run = tracee.run()
      run.catch(() => {})
      await untilInVfork(tracee.pid)
      await expect(tracee[how]({ timeoutMs: 30 })).rejects.toMatchObject({ code: 'ERR_TIMED_OUT' })
      const left = tracee[how]()
      execFileSync(sendValue, [String(tracee.pid), '10', '1'])
      go()
      await left
      if (how === 'handOff') {
        expect(stateOf(tracee.pid)).toBe('T')
        system.kill(tracee.pid, 'SIGCONT')
      }
      expect(await tracee.exited).toMatchObject({ signal: 'SIGUSR1' })
    }
  })

  it.each(tracings)('keeps no other thread from being stopped once its child is held (%s)', async trace => {
    // The child is held at its birth.
    using started = await inVfork({ trace, follow: 'all' })
    const { tracee, go } = started
    await using _ = tracee
    tracee.cont()
    expect(await tracee.wait()).toMatchObject({ event: 'vfork' })
    const [child] = tracee.children.values()
    expect(await child?.wait()).toMatchObject({ reason: 'birth' })
    tracee.cont()
    await untilInVfork(tracee.pid)
    await expect(tracee.detach({ timeoutMs: 30 })).rejects.toMatchObject({ code: 'ERR_TIMED_OUT' })
    await expect(tracee.stopAll({ timeoutMs: 30 })).rejects.toMatchObject({ code: 'ERR_TIMED_OUT' })
    expect(child?.stop).toMatchObject({ reason: 'birth' })
    child?.cont()
    go()
    const end = tracee.run()
    expect(await end).toMatchObject({ code: 7 })
    expect(await child?.exited).toMatchObject({ code: 5 })
  })

  it.each(ways)('is disposed of in it ($trace, follow $follow)', async way => {
    using started = await inVfork(way)
    const { tracee } = started
    void tracee.run()
    await untilInVfork(tracee.pid)
    await expect(tracee.stopAll({ timeoutMs: 10 })).rejects.toMatchObject({ code: 'ERR_TIMED_OUT' })
    const [child] = tracee.children.values()
    await tracee[Symbol.asyncDispose]()
    expect(await tracee.exited).toMatchObject({ signal: 'SIGKILL' })
    if (way.follow === 'all') expect(await child?.exited).toMatchObject({ signal: 'SIGKILL' })
    await until('it is gone', () => 'gone' === stateOf(tracee.pid))
  })

  it.each(ways)(
    'stays wanted by one stopAll() where the time of another is over ($trace, follow $follow)',
    async way => {
      using started = await inVfork(way)
      const { tracee, go } = started
      await using _ = tracee
      const run = tracee.run()
      await untilInVfork(tracee.pid)
      const short = [tracee.stopAll({ timeoutMs: 30 }), tracee.handOff({ timeoutMs: 40 })]
      const long = tracee.stopAll()
      await Promise.all(short.map(each => expect(each).rejects.toMatchObject({ code: 'ERR_TIMED_OUT' })))
      go()
      await long
      expect(stateOf(tracee.pid)).toBe('t')
      tracee.contAll()
      expect(await run).toMatchObject({ code: 7 })
    },
  )

  it.each(tracings)('does not keep a loop from the events that it asks for (%s)', async trace => {
    using started = await inVfork({ trace, follow: 'all' })
    const { tracee, go } = started
    await using _ = tracee
    tracee.cont()
    await tracee.wait()
    const [child] = tracee.children.values()
    await child?.wait()
    tracee.cont()
    await untilInVfork(tracee.pid)
    go()
    const events: (readonly [isMain: boolean, event: string | undefined])[] = []
    for await (const { thread, stop } of tracee.everyStop({ events: ['exit', 'vfork-done'] })) {
      events.push([thread === tracee.mainThread, stop.event])
      thread.cont(stop.event ? undefined : stop.signal)
    }
    const ends = events.filter(([, event]) => event !== undefined && event !== 'stop')
    expect(ends).toEqual([
      [false, 'exit'],
      [true, 'vfork-done'],
      [true, 'exit'],
    ])
  })

  /** One whose other thread stands at its birth meanwhile. No SIGCHLD stops that one. */
  async function besideThread(trace: 'traceme' | 'seize') {
    const started = await inVfork({ trace, follow: 'threads' }, 'b17t(p)v(r0x5)x7')
    const { tracee } = started
    tracee.cont()
    expect(await tracee.wait()).toMatchObject({ event: 'clone' })
    tracee.cont()
    const thread = [...tracee.threads.values()].at(-1)!
    expect(await thread.wait()).toMatchObject({ reason: 'birth' })
    await untilInVfork(tracee.pid)
    return { ...started, thread }
  }

  it.each(tracings)('has another thread stopped that goes on before all are (%s)', async trace => {
    const { tracee, thread, go, [Symbol.dispose]: close } = await besideThread(trace)
    await using _ = tracee
    const stopped = tracee.stopAll()
    thread.cont()
    go()
    await stopped
    expect([tracee.pid, thread.tid].map(stateOf)).toEqual(['t', 't'])
    close()
  })

  it.each(['stopAll', 'detach', 'handOff'] as const)(
    'has another thread stopped that listens by then: %s()',
    async how => {
      const { tracee, thread, go, [Symbol.dispose]: close } = await besideThread('seize')
      await using _ = tracee
      thread.kill('SIGSTOP')
      thread.cont()
      expect(await thread.wait()).toEqual({ kind: 'stopped', signal: 'SIGSTOP' })
      thread.cont('SIGSTOP')
      expect(await thread.wait()).toMatchObject({ reason: 'group' })
      const stopped = tracee[how]()
      thread.listen()
      expect(thread.stop).toBeNull()
      go()
      await stopped
      const state = how === 'stopAll' ? 't' : 'T'
      for (const id of [tracee.pid, thread.tid]) await untilState(id, state)
      close()
    },
  )
})
