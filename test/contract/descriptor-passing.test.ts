import { describe, expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { bytes, failure, readText, text } from './helpers.ts'
import { describeContract } from './suite.ts'

const { AF_UNIX, F_GETFD, FD_CLOEXEC, MSG_CMSG_CLOEXEC, MSG_CTRUNC, MSG_DONTWAIT, MSG_PEEK, O_NONBLOCK } = constants
const { POLLHUP, POLLIN, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM } = constants

describeContract('descriptors in messages', world => {
  const kinds = [
    { name: 'a stream', type: SOCK_STREAM },
    { name: 'datagrams', type: SOCK_DGRAM },
    { name: 'packets in sequence', type: SOCK_SEQPACKET },
  ]
  const pair = (type: number = SOCK_STREAM) => world.system.socketpair(AF_UNIX, type)
  const receive = (fd: number, maxFds: number, flags: number = MSG_DONTWAIT, size = 100) => {
    const buffer = new Uint8Array(size)
    const got = world.system.recvmsg(fd, { buffer, maxFds }, flags)
    return { text: text(buffer.subarray(0, got.bytes)), fds: got.fds, truncated: (got.flags & MSG_CTRUNC) !== 0 }
  }
  /** Descriptors of one pipe's write end; the pipe hangs up when the last is gone. */
  const manyWriters = (count: number) => {
    const [r, w] = world.system.pipe2(O_NONBLOCK)
    const writers = [w]
    while (writers.length < count) writers.push(world.system.dup(w))
    const closeAll = () => {
      for (const fd of writers) world.system.close(fd)
    }
    const hasWriters = () => (world.system.poll([{ fd: r, events: POLLIN }], 0)[0]! & POLLHUP) === 0
    return { r, writers, closeAll, hasWriters }
  }

  it.for(kinds)('arrive as new descriptors of the same file: $name', ({ type }) => {
    const [a, b] = pair(type)
    const { r, writers, closeAll } = manyWriters(1)
    expect(world.system.sendmsg(a, { data: bytes('here'), fds: writers })).toBe(4)
    closeAll()
    const got = receive(b, 1)
    expect(got).toEqual({ text: 'here', fds: [expect.any(Number)], truncated: false })
    world.system.write(got.fds[0]!, bytes('through'))
    expect(readText(world.system, r)).toBe('through')
  })

  it.for([1, 2, 3, 4, 5, 8, 252, 253])('%i at once arrive, in order', count => {
    const [a, b] = pair()
    const { writers, closeAll, hasWriters } = manyWriters(count)
    world.system.sendmsg(a, { data: bytes('x'), fds: writers })
    closeAll()
    const { fds, truncated } = receive(b, count)
    expect(new Set(fds).size).toBe(count)
    expect(truncated).toBe(false)
    expect([...fds].sort((x, y) => x - y)).toEqual(fds)
    for (const fd of fds) world.system.close(fd)
    expect(hasWriters()).toBe(false)
  })

  it('254 at once are EINVAL', () => {
    const [a] = pair()
    const { writers } = manyWriters(254)
    expect(failure(() => world.system.sendmsg(a, { data: bytes('x'), fds: writers }))).toBe('EINVAL')
  })

  it.for([
    { sent: 2, room: 1 },
    { sent: 3, room: 1 },
    { sent: 3, room: 2 },
    { sent: 5, room: 3 },
    { sent: 4, room: 0 },
    { sent: 1, room: 0 },
  ])('of $sent with room for $room, those that find room arrive and no more: MSG_CTRUNC', ({ sent, room }) => {
    const [a, b] = pair()
    const { writers, closeAll, hasWriters } = manyWriters(sent)
    world.system.sendmsg(a, { data: bytes('x'), fds: writers })
    closeAll()
    const { fds, truncated } = receive(b, room)
    expect(fds.length).toBe(room)
    expect(truncated).toBe(true)
    for (const fd of fds) world.system.close(fd)
    expect(hasWriters()).toBe(false)
  })

  it('room for more than come is no truncation', () => {
    const [a, b] = pair()
    const { writers } = manyWriters(3)
    world.system.sendmsg(a, { data: bytes('x'), fds: writers })
    expect(receive(b, 1000)).toEqual({ text: 'x', fds: expect.objectContaining({ length: 3 }), truncated: false })
  })

  it('are kept across exec unless asked otherwise', () => {
    const [a, b] = pair()
    const { writers } = manyWriters(1)
    for (const { flags, expected } of [
      { flags: MSG_DONTWAIT, expected: 0 },
      { flags: MSG_DONTWAIT | MSG_CMSG_CLOEXEC, expected: FD_CLOEXEC },
    ]) {
      world.system.sendmsg(a, { data: bytes('x'), fds: writers })
      expect(world.system.fcntl(receive(b, 1, flags).fds[0]!, F_GETFD)).toBe(expected)
    }
  })

  describe('in a stream', () => {
    it('a read stops behind the bytes they came with', () => {
      const [a, b] = pair()
      const { writers } = manyWriters(1)
      world.system.sendmsg(a, { data: bytes('with'), fds: writers })
      world.system.write(a, bytes('without'))
      expect(receive(b, 4)).toEqual({ text: 'with', fds: [expect.any(Number)], truncated: false })
      expect(receive(b, 4)).toEqual({ text: 'without', fds: [], truncated: false })
    })

    it('a read also returns the bytes before the message with descriptors', () => {
      const [a, b] = pair()
      const { writers } = manyWriters(1)
      world.system.write(a, bytes('before, '))
      world.system.sendmsg(a, { data: bytes('with'), fds: writers })
      world.system.write(a, bytes('after'))
      expect(receive(b, 4)).toEqual({ text: 'before, with', fds: [expect.any(Number)], truncated: false })
      expect(receive(b, 4)).toEqual({ text: 'after', fds: [], truncated: false })
    })

    it('a plain read discards them', () => {
      const [a, b] = pair()
      const { writers, closeAll, hasWriters } = manyWriters(2)
      world.system.sendmsg(a, { data: bytes('x'), fds: writers })
      closeAll()
      expect(hasWriters()).toBe(true)
      expect(readText(world.system, b)).toBe('x')
      expect(hasWriters()).toBe(false)
    })

    it('with no bytes they are dropped', () => {
      const [a, b] = pair()
      const { writers, closeAll, hasWriters } = manyWriters(1)
      expect(world.system.sendmsg(a, { data: bytes(''), fds: writers })).toBe(0)
      closeAll()
      expect(hasWriters()).toBe(false)
      expect(failure(() => receive(b, 1))).toBe('EAGAIN')
    })
  })

  it('a message with descriptors and no bytes passes between datagram sockets', () => {
    const [a, b] = pair(SOCK_DGRAM)
    const { writers } = manyWriters(1)
    world.system.sendmsg(a, { data: bytes(''), fds: writers })
    expect(receive(b, 1)).toEqual({ text: '', fds: [expect.any(Number)], truncated: false })
  })

  it('a peek gives copies and leaves the originals', () => {
    const [a, b] = pair()
    const { writers, closeAll, hasWriters } = manyWriters(1)
    world.system.sendmsg(a, { data: bytes('x'), fds: writers })
    closeAll()
    const peeked = receive(b, 1, MSG_DONTWAIT | MSG_PEEK)
    const taken = receive(b, 1)
    expect(peeked.fds[0]).not.toBe(taken.fds[0])
    world.system.close(taken.fds[0]!)
    expect(hasWriters()).toBe(true)
    world.system.close(peeked.fds[0]!)
    expect(hasWriters()).toBe(false)
  })

  it('on their way they keep a file open, and die with the socket', () => {
    const [a, b] = pair()
    const { writers, closeAll, hasWriters } = manyWriters(1)
    world.system.sendmsg(a, { data: bytes('x'), fds: writers })
    closeAll()
    expect(hasWriters()).toBe(true)
    world.system.close(a)
    expect(hasWriters()).toBe(true)
    world.system.close(b)
    expect(hasWriters()).toBe(false)
  })

  it('a descriptor that is not open is EBADF, and nothing is sent', () => {
    const [a, b] = pair()
    const { writers } = manyWriters(1)
    expect(failure(() => world.system.sendmsg(a, { data: bytes('x'), fds: [...writers, -1] }))).toBe('EBADF')
    expect(failure(() => receive(b, 2))).toBe('EAGAIN')
  })

  it('a socket may be sent through itself', () => {
    const [a, b] = pair()
    world.system.sendmsg(a, { data: bytes('x'), fds: [b] })
    const copy = receive(b, 1).fds[0]!
    world.system.write(a, bytes('to the copy'))
    expect(readText(world.system, copy)).toBe('to the copy')
  })
})
