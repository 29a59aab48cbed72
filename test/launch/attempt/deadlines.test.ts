/**
 * A deadline checks once more before it fires: the event loop may have been blocked past it, while the awaited
 * event had come.
 */

import { describe, expect, it } from 'vitest'
import { Channel } from '../../../lib/launch/channel/channel.ts'
import type { Child } from '../../../lib/launch/handles/child.ts'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { SimulatedKernel } from '../../../lib/sim/index.ts'
import type { System } from '../../../lib/system/system.ts'
import { modes, optionsOf, tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { stateOf } from '../support/processes.ts'

/** Blocks the thread, and with it the event loop, for a time. */
function blockFor(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** Blocks the thread past a deadline of a few milliseconds, and until a process is at a ptrace stop. */
function blockUntilStopped(pid: number): void {
  const end = performance.now() + 20_000
  do blockFor(40)
  while (stateOf(pid) !== 't' && performance.now() < end)
}

/** Blocks the thread until a file is readable. poll() does not consume the data. */
function blockUntilEndOf(system: System, fd: number): void {
  system.poll([{ fd, events: 0 }], -1)
}

// A traced launch then gets as much more time as the check came late. That is long enough on a busy machine.
const starvedMs = 600
const starved = modes.filter(({ memory }) => memory === 'shared')

const timedOut = { name: 'TimedOutError', code: 'ERR_TIMED_OUT' }

describeNative('an event loop that is blocked past a deadline', system => {
  it.each(starved)('times no launch out that could go on ($name)', async mode => {
    const launching = launch('/bin/true', [], { ...optionsOf(mode), stdio: 'ignore', timeoutMs: 10, system })
    blockFor(starvedMs)
    await using child = await launching
    expect(child.pid).toBeGreaterThan(0)
  })

  it.each(starved)('times no launch out that waits at its gate ($name)', async mode => {
    const options = { ...optionsOf(mode), stdio: 'ignore', timeoutMs: 10, beforeExec() {}, system } as const
    const launching = launch('/bin/true', [], options)
    blockFor(starvedMs)
    await using child = await launching
    expect(child.pid).toBeGreaterThan(0)
  })

  it.each(starved)('times no launch out that was answered late, before the limit fired ($name)', async mode => {
    const beforeExec = () => system.sleep(50)
    const options = { ...optionsOf(mode), stdio: 'ignore', timeoutMs: 10, beforeExec, system } as const
    // A timer's turn goes on to the signals that came during it, then to the timers that are due by then.
    const launching = new Promise<Child>((resolve, reject) => {
      setTimeout(() => {
        launch('/bin/true', [], options).then(resolve, reject)
        blockFor(starvedMs)
      }, 1)
    })
    await using child = await launching
    expect(child.pid).toBeGreaterThan(0)
  })

  it.each(tracings)('times no stopAll() and no detach() out whose threads have stopped (%s)', async trace => {
    await using tracee = await launch('/bin/sleep', ['60'], { trace, stdio: 'ignore', system })
    tracee.cont()
    const stopping = tracee.stopAll({ timeoutMs: 5 })
    blockUntilStopped(tracee.pid)
    await stopping
    tracee.contAll()
    const detaching = tracee.detach({ timeoutMs: 5 })
    blockUntilStopped(tracee.pid)
    await detaching
    expect(tracee.tracing).toBeNull()
  })

  it.each(starved)('reports the step that failed, not the timeout ($name)', async mode => {
    const launching = launch('/no/such', [], { ...optionsOf(mode), stdio: 'ignore', timeoutMs: 10, system })
    blockFor(starvedMs)
    await expect(launching).rejects.toMatchObject({ code: 'ENOENT', step: 'execve' })
  })

  it.each(tracings)("times no wait out for a tracee's end that is there (%s)", async trace => {
    const tracee = await launch('/bin/true', [], { trace, system })
    const { fd } = tracee.stdout!
    tracee.cont()
    const waiting = (tracee as Tracee).wait({ timeoutMs: 5 })
    blockUntilEndOf(system, fd)
    blockFor(40)
    expect(await waiting).toMatchObject({ kind: 'exited', code: 0 })
  })
})

function channelTests(openSystem: () => System): void {
  it.each(['pipe', 'socketpair'] as const)('hands a notification out that is there (%s)', async kind => {
    const system = openSystem()
    using channel = Channel.open({ kind, system })
    const waiting = channel.wait({ timeoutMs: 5 })
    channel.notify()
    blockFor(40)
    await waiting
  })

  it('serves the waits in their order, each by its own deadline', async () => {
    const system = openSystem()
    using channel = Channel.open({ system })
    const served: number[] = []
    const wait = (number: number, timeoutMs?: number) =>
      channel.wait({ timeoutMs }).then(
        () => void served.push(number),
        (error: unknown) => error,
      )
    const waits = [wait(0), wait(1, 20_000), wait(2, 5), wait(3, 5)]
    for (let i = 0; i < 3; i++) channel.notify()
    blockFor(40)
    const outcomes = await Promise.all(waits)
    expect(served).toEqual([0, 1, 2])
    expect(outcomes[3]).toMatchObject(timedOut)
    channel.notify()
    await channel.wait()
  })

  it('keeps no notification from a wait that comes after all were served', async () => {
    const system = openSystem()
    using channel = Channel.open({ system })
    const waits = [channel.wait(), channel.wait({ timeoutMs: 5 })]
    channel.notify()
    channel.notify()
    blockFor(40)
    await Promise.all(waits)
    const last = channel.wait()
    channel.notify()
    await last
  })

  it('reports an end of file that has come', async () => {
    const system = openSystem()
    using channel = Channel.open({ system })
    const waiting = channel.wait({ timeoutMs: 5 })
    channel.closeWrite()
    blockFor(40)
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' })
  })

  it('still fires where nothing has come', async () => {
    const system = openSystem()
    using channel = Channel.open({ system })
    const waiting = channel.wait({ timeoutMs: 5 })
    blockFor(20)
    await expect(waiting).rejects.toMatchObject(timedOut)
  })
}

describeNative("a channel's deadline in a blocked event loop", system => channelTests(() => system))
describe("a simulated channel's deadline in a blocked event loop", () =>
  channelTests(() => new SimulatedKernel({ clock: 'real' }).host))

describeNative('an abort', system => {
  it('rejects at once, whatever is there', async () => {
    using channel = Channel.open({ system })
    const abort = new AbortController()
    const waiting = channel.wait({ signal: abort.signal })
    channel.notify()
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await channel.wait()
  })
})
