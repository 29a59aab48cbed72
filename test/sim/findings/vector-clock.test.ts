import { describe, expect, it } from 'vitest'
import { joined, StampsByObject, TaskClock } from '../../../lib/sim/findings/vector-clock.ts'

describe('the clock of a task', () => {
  it('covers what was accessed before a release, and not what is accessed after it', () => {
    const [one, other] = [new TaskClock(0), new TaskClock(1)]
    const before = one.timeOfAccess()
    const stamp = one.release()
    const after = one.timeOfAccess()
    other.acquire(stamp)
    expect(other.covers(0, before)).toBe(true)
    expect(other.covers(0, after)).toBe(false)
    other.acquire(one.release())
    expect(other.covers(0, after)).toBe(true)
  })

  it('does not cover an access that follows a release and an acquisition', () => {
    const [one, other] = [new TaskClock(0), new TaskClock(1)]
    const stamp = one.release()
    one.acquire(other.release())
    const time = one.timeOfAccess()
    other.acquire(stamp)
    expect(other.covers(0, time)).toBe(false)
  })

  it('gives one stamp for many releases between which nothing happens', () => {
    const [one, other] = [new TaskClock(0), new TaskClock(1)]
    const stamp = one.release()
    expect(one.release()).toBe(stamp)
    one.timeOfAccess()
    expect(one.release()).not.toBe(stamp)
    const later = one.release()
    one.acquire(other.release())
    expect(one.release()).not.toBe(later)
    expect(one.release()).toEqual([2, 1])
  })

  it('releases what it acquired, whatever the order in which tasks appear', () => {
    const clocks = [0, 1, 2].map(index => new TaskClock(index))
    const time = clocks[2]!.timeOfAccess()
    clocks[0]!.acquire(clocks[2]!.release())
    clocks[1]!.acquire(clocks[0]!.release())
    expect(clocks[1]!.covers(2, time)).toBe(true)
    expect(clocks[1]!.covers(1, 99)).toBe(true)
    expect(new TaskClock(1).covers(2, 1)).toBe(false)
  })
})

describe('stamps', () => {
  it('join to the moment after both, and to one of them where that covers the other', () => {
    expect(joined([1, 0, 3], [0, 2])).toEqual([1, 2, 3])
    const later = [2, 2]
    expect(joined([1, 2], later)).toBe(later)
    expect(joined(later, [1, 2])).toBe(later)
    expect(joined(undefined, later)).toBe(later)
  })

  it('add up where they are put on one object', () => {
    const stamps = new StampsByObject()
    const object = {}
    expect(stamps.get(object)).toBeUndefined()
    stamps.add(object, [1])
    stamps.add(object, [0, 1])
    expect(stamps.get(object)).toEqual([1, 1])
  })
})
