/** Deadlines and aborts of a Channel's waits, and closing the Channel during a wait. */

import { afterEach, expect, it, vi } from 'vitest'
import { Channel } from '../../../lib/launch/channel/channel.ts'
import { describeNative, withCalls } from '../support/native.ts'

describeNative('a wait of a channel', system => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('rejects with ERR_TIMED_OUT after timeoutMs', async () => {
    using channel = Channel.open({ system })
    await expect(channel.wait({ timeoutMs: 5 })).rejects.toMatchObject({ name: 'TimedOutError', code: 'ERR_TIMED_OUT' })
  })

  it('takes no notification when it timed out', async () => {
    using channel = Channel.open({ system })
    await expect(channel.wait({ timeoutMs: 0 })).rejects.toMatchObject({ code: 'ERR_TIMED_OUT' })
    channel.notify()
    await channel.wait()
  })

  it('resolves within a deadline that is kept', async () => {
    using channel = Channel.open({ system })
    const waiting = channel.wait({ timeoutMs: 20_000 })
    channel.notify()
    await waiting
  })

  it.each([Number.POSITIVE_INFINITY, -1])('has no deadline with timeoutMs %d', async timeoutMs => {
    using channel = Channel.open({ system })
    const waiting = channel.wait({ timeoutMs })
    channel.notify()
    await waiting
  })

  it("rejects with the signal's reason when aborted", async () => {
    using channel = Channel.open({ system })
    const abort = new AbortController()
    const waiting = channel.wait({ signal: abort.signal })
    const reason = new Error('enough')
    abort.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    channel.notify()
    await channel.wait()
  })

  it('rejects at once with a signal that is aborted already, taking nothing', async () => {
    using channel = Channel.open({ system })
    channel.notify()
    await expect(channel.wait({ signal: AbortSignal.abort('no') })).rejects.toBe('no')
    await channel.wait()
  })

  it('rejects with an AbortError for a signal aborted without a reason', async () => {
    using channel = Channel.open({ system })
    const abort = new AbortController()
    const waiting = channel.wait({ signal: abort.signal, timeoutMs: 20_000 })
    abort.abort()
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('aborted in the middle of a queue leaves its notification to the next', async () => {
    using channel = Channel.open({ system })
    const abort = new AbortController()
    const [first, second, third] = [channel.wait(), channel.wait({ signal: abort.signal }), channel.wait()]
    abort.abort('gone')
    await expect(second).rejects.toBe('gone')
    channel.notify()
    await first
    channel.notify()
    await third
    await expect(channel.wait({ timeoutMs: 1 })).rejects.toMatchObject({ code: 'ERR_TIMED_OUT' })
  })

  it('aborted at the head of a queue leaves its notification to the next', async () => {
    using channel = Channel.open({ system })
    const abort = new AbortController()
    const [first, second] = [channel.wait({ signal: abort.signal }), channel.wait()]
    abort.abort('gone')
    channel.notify()
    await expect(first).rejects.toBe('gone')
    await second
  })

  it('is not overtaken when one behind it is aborted', async () => {
    using channel = Channel.open({ system })
    const served: string[] = []
    const first = channel.wait().then(() => served.push('first'))
    const second = channel.wait().then(() => served.push('second'))
    await expect(channel.wait({ timeoutMs: 0 })).rejects.toMatchObject({ code: 'ERR_TIMED_OUT' })
    const third = channel.wait().then(() => served.push('third'))
    for (let i = 0; i < 3; i++) channel.notify()
    await Promise.all([first, second, third])
    expect(served).toEqual(['first', 'second', 'third'])
  })

  it('leaves no listener behind on a signal that outlives it', async () => {
    using channel = Channel.open({ system })
    const abort = new AbortController()
    const added = vi.spyOn(abort.signal, 'addEventListener')
    const removed = vi.spyOn(abort.signal, 'removeEventListener')
    for (let i = 0; i < 5; i++) {
      const waiting = channel.wait({ signal: abort.signal })
      channel.notify()
      await waiting
    }
    expect(added).toHaveBeenCalled()
    expect(removed.mock.calls.length).toBe(added.mock.calls.length)
  })

  it.each(['closeRead', 'close'] as const)('is rejected by %s under it', async how => {
    using channel = Channel.open({ system })
    const waits = [channel.wait(), channel.wait(), channel.wait({ timeoutMs: 20_000 })]
    channel[how]()
    for (const result of await Promise.allSettled(waits)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'ERR_CHANNEL_CLOSED' } })
    }
  })

  it("keeps to the system's clock", async () => {
    vi.useFakeTimers()
    const asleep: number[] = []
    const ownClock = withCalls(system, {
      sleep: async ms => {
        asleep.push(ms)
      },
    })
    using channel = Channel.open({ system: ownClock })
    await expect(channel.wait({ timeoutMs: 3_600_000 })).rejects.toMatchObject({ code: 'ERR_TIMED_OUT' })
    expect(asleep).toEqual([3_600_000])
  })

  it.each([
    ['a timeout that is no number', { timeoutMs: '5' }, 'ERR_INVALID_ARG_TYPE'],
    ['NaN', { timeoutMs: Number.NaN }, 'ERR_OUT_OF_RANGE'],
    ['a timeout beyond 32 bits', { timeoutMs: 2 ** 31 }, 'ERR_OUT_OF_RANGE'],
    ['a signal that is none', { signal: {} }, 'ERR_INVALID_ARG_TYPE'],
    ['options that are no object', 5, 'ERR_INVALID_ARG_TYPE'],
    ['null', null, 'ERR_INVALID_ARG_TYPE'],
  ])('refuses %s', async (_, options, code) => {
    using channel = Channel.open({ system })
    channel.notify()
    await expect(channel.wait(options as never)).rejects.toMatchObject({ code })
    await channel.wait()
  })
})
