import { describe, expect, it } from 'vitest'
import { PipeStamps, SendRoom } from '../../../lib/sim/findings/channel-stamps.ts'

describe('the bytes of a pipe', () => {
  it('carry the stamps of their own writes', () => {
    const stamps = new PipeStamps(0, 16)
    stamps.put(2, [1])
    stamps.put(3, [0, 1])
    expect(stamps.firstByte).toEqual([1])
    expect(stamps.allBytes).toEqual([1, 1])
    expect(stamps.take(1)).toEqual([1])
    expect(stamps.take(2)).toEqual([1, 1])
    expect(stamps.firstByte).toEqual([0, 1])
    expect(stamps.take(2)).toEqual([0, 1])
    expect(stamps.firstByte).toBeUndefined()
  })

  it('carry none if they were written before the first access', () => {
    const stamps = new PipeStamps(5, 15)
    stamps.put(1, [1])
    expect(stamps.take(5)).toBeUndefined()
    expect(stamps.take(1)).toEqual([1])
  })
})

describe('the slots of a pipe', () => {
  it('are taken in the order they became free, the size changing or not', () => {
    const stamps = new PipeStamps(0, 1)
    stamps.freeSlot([1])
    expect(stamps.nextSlot).toBeUndefined()
    expect(stamps.takeSlot()).toBeUndefined()
    expect(stamps.nextSlot).toEqual([1])
    stamps.resize(2, [0, 1])
    expect([stamps.takeSlot(), stamps.takeSlot(), stamps.takeSlot()]).toEqual([[1], [0, 1], [0, 1]])
    stamps.resize(4, [2])
    stamps.resize(-3, [3])
    expect([stamps.takeSlot(), stamps.takeSlot()]).toEqual([[2], undefined])
  })
})

describe('the room of a socket', () => {
  it('needs the reads without which at least the limit would be in use', () => {
    const room = new SendRoom(0)
    expect(room.spend(60, 100)).toBeUndefined()
    expect(room.spend(60, 100)).toBeUndefined()
    room.free(60, [1])
    room.free(60, [0, 1])
    // 120 were sent: below 100 are in use once the first read has been.
    expect(room.spend(60, 100)).toEqual([1])
    // 180 were sent: both reads.
    expect(room.spend(60, 100)).toEqual([1, 1])
  })

  it('counts what was in use before the first access', () => {
    const room = new SendRoom(100)
    room.free(10, [1])
    expect(room.needed(101)).toBeUndefined()
    expect(room.needed(100)).toEqual([1])
  })
})
