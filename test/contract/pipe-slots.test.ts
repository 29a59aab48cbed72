import { describe, expect, it, type TestContext } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { bytes, drain, failure, fill, readText } from './helpers.ts'
import { describeContract } from './suite.ts'

const { F_GETFL, F_GETPIPE_SZ, F_SETFL, O_DIRECT, O_NONBLOCK, O_WRONLY, POLLOUT } = constants

// A pipe of 16 slots of 4096 bytes. The facts about its slots are pipe(7)'s, and fs/pipe.c's.
describeContract('the slots of a pipe', world => {
  const pipeOf16 = (context: TestContext, flags = 0): [number, number] => {
    const [r, w] = world.system.pipe2(O_NONBLOCK | flags)
    // A user with very many pipes gets smaller ones.
    if (world.system.fcntl(w, F_GETPIPE_SZ) !== 65536) context.skip('new pipes are not of 65536 bytes here')
    return [r, w]
  }
  const isWritable = (w: number) => world.system.poll([{ fd: w, events: POLLOUT }], 0)[0] === POLLOUT

  describe('fill as single writes of one size', () => {
    it.for([
      { size: 1, writes: 65536, total: 65536 },
      { size: 3, writes: 21840, total: 65520 },
      { size: 100, writes: 640, total: 64000 },
      { size: 2049, writes: 16, total: 32784 },
      { size: 4095, writes: 16, total: 65520 },
      { size: 4096, writes: 16, total: 65536 },
      { size: 4097, writes: 11, total: 45066 },
      { size: 8193, writes: 7, total: 53254 },
      { size: 65536, writes: 1, total: 65536 },
      { size: 65537, writes: 1, total: 65536 },
    ])('$size bytes: $writes writes, $total bytes', ({ size, writes, total }, context) => {
      const [r, w] = pipeOf16(context)
      expect(fill(world.system, w, size)).toEqual({ writes, total })
      expect(world.system.bytesReadable(r)).toBe(total)
      expect(drain(world.system, r)).toBe(total)
    })
  })

  it('a small write is merged into the last slot if it fits there', context => {
    const [r, w] = pipeOf16(context)
    for (let i = 0; i < 16; i++) world.system.write(w, bytes(4000))
    expect(world.system.write(w, bytes(96))).toBe(96)
    expect(failure(() => world.system.write(w, bytes(1)))).toBe('EAGAIN')
    expect(world.system.bytesReadable(r)).toBe(16 * 4000 + 96)
  })

  it('what was read from the front of a slot does not make room at its end', context => {
    for (const { size, slots } of [
      { size: 96, slots: 1 },
      { size: 97, slots: 2 },
    ]) {
      const [r, w] = pipeOf16(context)
      world.system.write(w, bytes(4000))
      world.system.read(r, new Uint8Array(3999))
      expect(world.system.write(w, bytes(size))).toBe(size)
      expect(fill(world.system, w, 4096).writes).toBe(16 - slots)
    }
  })

  it('of a write over a page, its odd bytes join the last slot and the whole pages take new ones', context => {
    const [r, w] = pipeOf16(context)
    world.system.write(w, bytes(10))
    expect(world.system.write(w, bytes(8192 + 5))).toBe(8197)
    expect(fill(world.system, w, 4096).writes).toBe(13)
    expect(world.system.bytesReadable(r)).toBe(10 + 8197 + 13 * 4096)
  })

  it('a slot is free only when all of it has been read', context => {
    const [r, w] = pipeOf16(context)
    fill(world.system, w, 4096)
    world.system.read(r, new Uint8Array(4095))
    expect(isWritable(w)).toBe(false)
    expect(failure(() => world.system.write(w, bytes(1)))).toBe('EAGAIN')
    world.system.read(r, new Uint8Array(1))
    expect(isWritable(w)).toBe(true)
    expect(world.system.write(w, bytes(4096))).toBe(4096)
  })

  it('with every slot in use a pipe takes what fits into the last one though poll says full', context => {
    const [, w] = pipeOf16(context)
    for (let i = 0; i < 15; i++) world.system.write(w, bytes(4096))
    world.system.write(w, bytes(1))
    expect(isWritable(w)).toBe(false)
    expect(world.system.write(w, bytes(10))).toBe(10)
    expect(failure(() => world.system.write(w, bytes(4096)))).toBe('EAGAIN')
  })

  it('a write of more than PIPE_BUF is cut to what fits', context => {
    const [, w] = pipeOf16(context)
    for (let i = 0; i < 15; i++) world.system.write(w, bytes(4096))
    world.system.write(w, bytes(1))
    expect(world.system.write(w, bytes(5000))).toBe(904)
  })

  it('a write of up to PIPE_BUF goes in whole or not at all', context => {
    const [r, w] = pipeOf16(context)
    for (let i = 0; i < 15; i++) world.system.write(w, bytes(4096))
    world.system.write(w, bytes(4000))
    expect(failure(() => world.system.write(w, bytes(4000)))).toBe('EAGAIN')
    expect(world.system.bytesReadable(r)).toBe(15 * 4096 + 4000)
  })

  describe('in packet mode', () => {
    it('each write is a packet, each read gives one', context => {
      const [r, w] = pipeOf16(context, O_DIRECT)
      world.system.write(w, bytes('one'))
      world.system.write(w, bytes('two'))
      expect(world.system.bytesReadable(r)).toBe(6)
      expect(readText(world.system, r)).toBe('one')
      expect(readText(world.system, r)).toBe('two')
    })

    it('what a read leaves of its packet is lost', context => {
      const [r, w] = pipeOf16(context, O_DIRECT)
      world.system.write(w, bytes('one'))
      world.system.write(w, bytes('two'))
      expect(readText(world.system, r, 1)).toBe('o')
      expect(readText(world.system, r)).toBe('two')
    })

    it('a write of more than a page becomes several packets', context => {
      const [r, w] = pipeOf16(context, O_DIRECT)
      expect(world.system.write(w, bytes(10_000))).toBe(10_000)
      expect([1, 2, 3].map(() => world.system.read(r, new Uint8Array(65536)))).toEqual([4096, 4096, 1808])
    })

    it('sixteen packets of one byte fill it', context => {
      const [, w] = pipeOf16(context, O_DIRECT)
      expect(fill(world.system, w, 1)).toEqual({ writes: 16, total: 16 })
    })

    it('switched on later, a packet still joins the bytes that were there', context => {
      const [r, w] = pipeOf16(context)
      world.system.write(w, bytes('plain '))
      world.system.fcntl(w, F_SETFL, O_NONBLOCK | O_DIRECT)
      expect(world.system.fcntl(w, F_GETFL)).toBe(O_WRONLY | O_NONBLOCK | O_DIRECT)
      world.system.write(w, bytes('joined'))
      world.system.write(w, bytes('joined too'))
      expect(readText(world.system, r)).toBe('plain joinedjoined too')
      world.system.write(w, bytes('one'))
      world.system.write(w, bytes('two'))
      expect(readText(world.system, r)).toBe('one')
    })
  })
})
