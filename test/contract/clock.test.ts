import { afterEach, expect, it, vi } from 'vitest'
import { rejection } from './helpers.ts'
import { describeContract } from './suite.ts'

describeContract('the clock', world => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('goes on, and sleeps end, while a test has replaced the global timers', async () => {
    vi.useFakeTimers()
    const before = world.system.now()
    await world.system.sleep(5)
    expect(world.system.now() - before).toBeGreaterThanOrEqual(5)
  })

  it('never runs backwards', () => {
    let before = world.system.now()
    for (let i = 0; i < 1000; i++) {
      const now = world.system.now()
      expect(now).toBeGreaterThanOrEqual(before)
      before = now
    }
  })

  it.for([0, 0.5, 1, 1.9, 3, 7.25, 20])('a sleep of %f ms is over when so much has passed, not before', async ms => {
    for (let i = 0; i < 20; i++) {
      const before = world.system.now()
      await world.system.sleep(ms)
      expect(world.system.now() - before).toBeGreaterThanOrEqual(ms)
    }
  })

  it('a sleep of a negative time ends at once', async () => {
    await world.system.sleep(-5)
    await world.system.sleep(Number.NEGATIVE_INFINITY)
  })

  it.each([
    ['the event loop is free', 0],
    ['it was blocked until all are due', 40],
  ])('sleeps end in the order of their ends where %s', async (_, blockedMs) => {
    const order: number[] = []
    // A busy machine may let time pass between two of them: each ends between these two times.
    const sleeps = [30, 10, 20, 0].map(ms => {
      const earliest = world.system.now() + ms
      const over = world.system.sleep(ms).then(() => order.push(ms))
      return { ms, over, earliest, latest: world.system.now() + ms }
    })
    const free = world.system.now() + blockedMs
    while (world.system.now() < free);
    await Promise.all(sleeps.map(each => each.over))
    const place = ({ ms }: { ms: number }) => order.indexOf(ms)
    for (const one of sleeps) {
      const later = sleeps.filter(other => other.earliest > one.latest)
      for (const other of later) expect(place(one), `${one.ms} before ${other.ms}`).toBeLessThan(place(other))
    }
  })

  it('an aborted sleep rejects with the reason of the signal', async () => {
    const controller = new AbortController()
    const reason = new Error('wake up')
    const sleep = world.system.sleep(1_000_000, { signal: controller.signal })
    controller.abort(reason)
    expect(await rejection(sleep)).toBe(reason)
    expect(await rejection(world.system.sleep(0, { signal: AbortSignal.abort(reason) }))).toBe(reason)
  })

  it('a signal that aborts after the sleep has no effect', async () => {
    const controller = new AbortController()
    await world.system.sleep(1, { signal: controller.signal })
    controller.abort()
    await world.system.sleep(1)
  })

  it.for<[string, object]>([
    ['without throwIfAborted()', { aborted: false, addEventListener() {}, removeEventListener() {} }],
    ['that is no event target', { aborted: false, throwIfAborted() {} }],
  ])('an AbortSignal of a polyfill %s is refused', async ([, signal]) => {
    expect(await rejection(world.system.sleep(1, { signal: signal as AbortSignal }))).toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
    })
  })

  it.for([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])('a sleep of %f is out of range', async ms => {
    expect(await rejection(world.system.sleep(ms))).toMatchObject({ name: 'RangeError', code: 'ERR_OUT_OF_RANGE' })
  })
})
