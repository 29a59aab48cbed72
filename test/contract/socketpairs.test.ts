import { describe, expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { bytes, failure, fill, readText, text } from './helpers.ts'
import { describeContract } from './suite.ts'

const { AF_INET, AF_UNIX, F_GETFD, F_GETFL, F_SETFL, FD_CLOEXEC, O_DIRECT, O_NONBLOCK, O_RDWR } = constants
const { MSG_DONTWAIT, MSG_NOSIGNAL, MSG_OOB, MSG_PEEK, MSG_TRUNC, MSG_WAITALL } = constants
const { SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET, SOCK_STREAM } = constants

describeContract('socketpairs', world => {
  const pair = (type: number) => world.system.socketpair(AF_UNIX, type)
  const received = (fd: number, size: number, flags = 0) => {
    const buffer = new Uint8Array(size)
    const count = world.system.recv(fd, buffer, flags)
    return { count, text: text(buffer.subarray(0, Math.min(count, size))) }
  }

  describe('as they are made', () => {
    it('are two ends for reading and writing, blocking and kept across exec', () => {
      for (const fd of pair(SOCK_STREAM)) {
        expect(world.system.fcntl(fd, F_GETFL)).toBe(O_RDWR)
        expect(world.system.fcntl(fd, F_GETFD)).toBe(0)
      }
    })

    it('are non-blocking and close-on-exec at both ends when asked to', () => {
      for (const fd of pair(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)) {
        expect(world.system.fcntl(fd, F_GETFL)).toBe(O_RDWR | O_NONBLOCK)
        expect(world.system.fcntl(fd, F_GETFD)).toBe(FD_CLOEXEC)
      }
    })

    it.for([
      { what: 'an unknown flag', args: [AF_UNIX, SOCK_STREAM | 0x100000, 0], code: 'EINVAL' },
      { what: 'type 11 and more', args: [AF_UNIX, 11, 0], code: 'EINVAL' },
      { what: 'type 15', args: [AF_UNIX, 15, 0], code: 'EINVAL' },
      { what: 'type 0', args: [AF_UNIX, 0, 0], code: 'ESOCKTNOSUPPORT' },
      { what: 'SOCK_RDM', args: [AF_UNIX, SOCK_RDM, 0], code: 'ESOCKTNOSUPPORT' },
      { what: 'type 10', args: [AF_UNIX, 10, 0], code: 'ESOCKTNOSUPPORT' },
      { what: 'protocol 2', args: [AF_UNIX, SOCK_STREAM, 2], code: 'EPROTONOSUPPORT' },
      { what: 'protocol -1', args: [AF_UNIX, SOCK_STREAM, -1], code: 'EPROTONOSUPPORT' },
      { what: 'the internet', args: [AF_INET, SOCK_STREAM, 0], code: 'EOPNOTSUPP' },
      { what: 'an unknown family', args: [99, SOCK_STREAM, 0], code: 'EAFNOSUPPORT' },
      { what: 'family -1', args: [-1, SOCK_STREAM, 0], code: 'EAFNOSUPPORT' },
    ])('are refused for $what with $code, and nothing stays open', ({ args, code }) => {
      const lowest = world.system.dup(0)
      world.system.close(lowest)
      expect(failure(() => world.system.socketpair(...(args as [number, number, number])))).toBe(code)
      expect(world.system.dup(0)).toBe(lowest)
    })

    it('may name protocol 1, and SOCK_RAW stands for datagrams', () => {
      const [a, b] = world.system.socketpair(AF_UNIX, SOCK_STREAM, 1)
      world.system.write(a, bytes('x'))
      expect(readText(world.system, b)).toBe('x')
      const [raw] = pair(SOCK_RAW)
      expect(world.system.getsockopt(raw, constants.SOL_SOCKET, constants.SO_TYPE)).toBe(SOCK_DGRAM)
    })

    it('have no packet mode: O_DIRECT is EINVAL', () => {
      const [a] = pair(SOCK_STREAM)
      expect(failure(() => world.system.fcntl(a, F_SETFL, O_DIRECT))).toBe('EINVAL')
      expect(world.system.fcntl(a, F_GETFL)).toBe(O_RDWR)
    })
  })

  describe('of streams', () => {
    it('carry bytes both ways without bounds', () => {
      const [a, b] = pair(SOCK_STREAM)
      world.system.write(a, bytes('to '))
      world.system.send(a, bytes('b'))
      world.system.write(b, bytes('to a'))
      expect(readText(world.system, b)).toBe('to b')
      expect(readText(world.system, a)).toBe('to a')
    })

    it('tell the sum of what is queued', () => {
      const [a, b] = pair(SOCK_STREAM)
      world.system.write(a, bytes(10))
      world.system.write(a, bytes(20))
      expect(world.system.bytesReadable(b)).toBe(30)
      expect(world.system.bytesReadable(a)).toBe(0)
    })

    it('an empty one gives EAGAIN if it is non-blocking, even for no bytes with recv', () => {
      const [a, b] = pair(SOCK_STREAM)
      expect(failure(() => world.system.recv(a, new Uint8Array(1), MSG_DONTWAIT))).toBe('EAGAIN')
      expect(failure(() => world.system.recv(a, new Uint8Array(0), MSG_DONTWAIT))).toBe('EAGAIN')
      world.system.fcntl(b, F_SETFL, O_NONBLOCK)
      expect(failure(() => world.system.read(b, new Uint8Array(1)))).toBe('EAGAIN')
      expect(world.system.read(b, new Uint8Array(0))).toBe(0)
    })

    it('a full one gives EAGAIN, and all its bytes can be read', () => {
      const [a, b] = pair(SOCK_STREAM | SOCK_NONBLOCK)
      const { total } = fill(world.system, a, 4096)
      expect(total).toBeGreaterThan(65536)
      expect(failure(() => world.system.send(a, bytes(1), MSG_DONTWAIT))).toBe('EAGAIN')
      let got = 0
      while (got < total) got += world.system.read(b, new Uint8Array(65536))
      expect(failure(() => world.system.read(b, new Uint8Array(1)))).toBe('EAGAIN')
      expect(got).toBe(total)
    })

    it('a peek leaves the bytes it returns, over several writes', () => {
      const [a, b] = pair(SOCK_STREAM)
      world.system.write(a, bytes('one'))
      world.system.write(a, bytes('two'))
      expect(received(b, 4, MSG_PEEK)).toEqual({ count: 4, text: 'onet' })
      expect(received(b, 100, MSG_PEEK)).toEqual({ count: 6, text: 'onetwo' })
      expect(world.system.bytesReadable(b)).toBe(6)
      expect(readText(world.system, b)).toBe('onetwo')
    })

    it('MSG_WAITALL takes what is there when it may not wait, and all of it when that is enough', () => {
      const [a, b] = pair(SOCK_STREAM)
      world.system.write(a, bytes('one'))
      world.system.write(a, bytes('two'))
      expect(received(b, 5, MSG_WAITALL)).toEqual({ count: 5, text: 'onetw' })
      expect(received(b, 5, MSG_WAITALL | MSG_DONTWAIT)).toEqual({ count: 1, text: 'o' })
    })

    it('MSG_TRUNC changes nothing', () => {
      const [a, b] = pair(SOCK_STREAM)
      world.system.write(a, bytes('abcdef'))
      expect(received(b, 2, MSG_TRUNC)).toEqual({ count: 2, text: 'ab' })
      expect(received(b, 10)).toEqual({ count: 4, text: 'cdef' })
    })

    it('MSG_NOSIGNAL is taken and unknown flags are ignored, as Linux does', () => {
      const [a, b] = pair(SOCK_STREAM)
      expect(world.system.send(a, bytes('x'), MSG_NOSIGNAL)).toBe(1)
      expect(world.system.send(a, bytes('y'), 0x02000000)).toBe(1)
      expect(readText(world.system, b)).toBe('xy')
    })
  })

  describe.for([
    { name: 'datagrams', type: SOCK_DGRAM },
    { name: 'packets in sequence', type: SOCK_SEQPACKET },
  ])('of $name', ({ type }) => {
    it('keep the bounds of messages, empty ones too', () => {
      const [a, b] = pair(type)
      world.system.write(a, bytes('one'))
      world.system.write(a, bytes(''))
      world.system.send(a, bytes('two'))
      expect(received(b, 100)).toEqual({ count: 3, text: 'one' })
      expect(received(b, 100)).toEqual({ count: 0, text: '' })
      expect(received(b, 100)).toEqual({ count: 3, text: 'two' })
    })

    it('cut a message to the buffer, and MSG_TRUNC tells its full length', () => {
      const [a, b] = pair(type)
      for (let i = 0; i < 3; i++) world.system.write(a, bytes('abcdef'))
      expect(received(b, 2)).toEqual({ count: 2, text: 'ab' })
      expect(received(b, 2, MSG_TRUNC)).toEqual({ count: 6, text: 'ab' })
      const got = world.system.recvmsg(b, { buffer: new Uint8Array(2) })
      expect(got).toEqual({ bytes: 2, fds: [], flags: expect.any(Number) })
      expect(got.flags & MSG_TRUNC).toBe(MSG_TRUNC)
      expect(failure(() => world.system.recv(b, new Uint8Array(1), MSG_DONTWAIT))).toBe('EAGAIN')
    })

    it('a peek shows the first message only', () => {
      const [a, b] = pair(type)
      world.system.write(a, bytes('one'))
      world.system.write(a, bytes('two'))
      expect(received(b, 100, MSG_PEEK)).toEqual({ count: 3, text: 'one' })
      expect(received(b, 100)).toEqual({ count: 3, text: 'one' })
    })

    it('tell the length of the first message, or of all that are queued', () => {
      const [a, b] = pair(type)
      world.system.write(a, bytes(10))
      world.system.write(a, bytes(20))
      expect(world.system.bytesReadable(b)).toBe(type === SOCK_DGRAM ? 10 : 30)
    })

    it('a message larger than the buffer of the sender is EMSGSIZE', () => {
      const [a] = pair(type | SOCK_NONBLOCK)
      const room = world.system.getsockopt(a, constants.SOL_SOCKET, constants.SO_SNDBUF)
      expect(failure(() => world.system.write(a, bytes(room)))).toBe('EMSGSIZE')
    })

    it('reading no bytes with read gives none and takes nothing', () => {
      const [a, b] = pair(type)
      world.system.write(a, bytes('stays'))
      expect(world.system.read(b, new Uint8Array(0))).toBe(0)
      expect(readText(world.system, b)).toBe('stays')
    })

    it('MSG_OOB is refused', () => {
      const [a, b] = pair(type)
      expect(failure(() => world.system.send(a, bytes('!'), MSG_OOB))).toBe('EOPNOTSUPP')
      expect(failure(() => world.system.recv(b, new Uint8Array(1), MSG_OOB))).toBe('EOPNOTSUPP')
    })
  })
})
