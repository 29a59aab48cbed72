import { describe, expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { bytes, failure, readText } from './helpers.ts'
import { describeContract } from './suite.ts'

const { AF_UNIX, MSG_DONTWAIT, MSG_PEEK, SHUT_RD, SHUT_RDWR, SHUT_WR, SO_ERROR, SOCK_DGRAM, SOCK_NONBLOCK } = constants
const { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, SOCK_SEQPACKET, SOCK_STREAM, SOL_SOCKET } = constants

// The behaviour of a socket after an end is shut down or closed.
describeContract('the ends of socketpairs', world => {
  const pair = (type: number) => world.system.socketpair(AF_UNIX, type | SOCK_NONBLOCK)
  const state = (fd: number) => world.system.poll([{ fd, events: POLLIN | POLLOUT | POLLRDHUP }], 0)[0]
  const readable = POLLIN | POLLRDHUP

  const connected = [
    { name: 'a stream', type: SOCK_STREAM },
    { name: 'packets in sequence', type: SOCK_SEQPACKET },
  ]

  describe.for(connected)('shutting down $name', ({ type }) => {
    it('for writing: the peer reads what was sent, then end of file', () => {
      const [a, b] = pair(type)
      world.system.write(a, bytes('last'))
      world.system.shutdown(a, SHUT_WR)
      expect(failure(() => world.system.write(a, bytes('x')))).toBe('EPIPE')
      expect(state(b)).toBe(readable | POLLOUT)
      expect(readText(world.system, b)).toBe('last')
      expect(readText(world.system, b)).toBe('')
      expect(state(a)).toBe(POLLOUT)
    })

    it('for writing leaves the other direction alone', () => {
      const [a, b] = pair(type)
      world.system.shutdown(a, SHUT_WR)
      world.system.write(b, bytes('still'))
      expect(readText(world.system, a)).toBe('still')
    })

    it('for reading: what is queued is still there, then end of file; the peer cannot write', () => {
      const [a, b] = pair(type)
      world.system.write(b, bytes('queued'))
      world.system.shutdown(a, SHUT_RD)
      expect(failure(() => world.system.write(b, bytes('x')))).toBe('EPIPE')
      expect(state(a)).toBe(readable | POLLOUT)
      expect(readText(world.system, a)).toBe('queued')
      expect(readText(world.system, a)).toBe('')
      expect(world.system.write(a, bytes('x'))).toBe(1)
    })

    it('for both: both ends have hung up', () => {
      const [a, b] = pair(type)
      world.system.shutdown(a, SHUT_RDWR)
      expect(state(a)).toBe(readable | POLLOUT | POLLHUP)
      expect(state(b)).toBe(readable | POLLOUT | POLLHUP)
    })

    it('for writing at both ends: both have hung up', () => {
      const [a, b] = pair(type)
      world.system.shutdown(a, SHUT_WR)
      world.system.shutdown(b, SHUT_WR)
      expect(state(a)).toBe(readable | POLLOUT | POLLHUP)
      expect(state(b)).toBe(readable | POLLOUT | POLLHUP)
    })

    it('again, or with an unknown operation', () => {
      const [a] = pair(type)
      world.system.shutdown(a, SHUT_WR)
      world.system.shutdown(a, SHUT_WR)
      world.system.shutdown(a, SHUT_RD)
      expect(failure(() => world.system.shutdown(a, 3))).toBe('EINVAL')
      expect(failure(() => world.system.shutdown(a, -1))).toBe('EINVAL')
    })
  })

  describe.for(connected)('closing one end of $name', ({ type }) => {
    it('the other reads what was sent, then end of file, and has hung up', () => {
      const [a, b] = pair(type)
      world.system.write(a, bytes('last'))
      world.system.close(a)
      expect(state(b)).toBe(readable | POLLOUT | POLLHUP)
      expect(readText(world.system, b)).toBe('last')
      expect(readText(world.system, b)).toBe('')
      expect(failure(() => world.system.write(b, bytes('x')))).toBe('EPIPE')
    })

    it('with unread data: an error, once, after what can be read', () => {
      const [a, b] = pair(type)
      world.system.write(b, bytes('lost'))
      world.system.close(a)
      expect(state(b)).toBe(readable | POLLOUT | POLLHUP | POLLERR)
      expect(failure(() => world.system.read(b, new Uint8Array(8)))).toBe('ECONNRESET')
      expect(state(b)).toBe(readable | POLLOUT | POLLHUP)
      expect(readText(world.system, b)).toBe('')
    })

    it('even when only part of a message had been read', () => {
      const [a, b] = pair(type)
      if (type === SOCK_SEQPACKET) world.system.write(b, bytes('whole'))
      world.system.write(b, bytes('lost'))
      world.system.read(a, new Uint8Array(2))
      world.system.close(a)
      expect(state(b)! & POLLERR).toBe(POLLERR)
      expect(failure(() => world.system.read(b, new Uint8Array(8)))).toBe('ECONNRESET')
    })

    it('SO_ERROR reports the loss and clears it', () => {
      const [a, b] = pair(type)
      world.system.write(b, bytes('lost'))
      world.system.close(a)
      expect(world.system.getsockopt(b, SOL_SOCKET, SO_ERROR)).toBe(104)
      expect(world.system.getsockopt(b, SOL_SOCKET, SO_ERROR)).toBe(0)
      expect(readText(world.system, b)).toBe('')
    })

    it('a peek reports the loss and clears it', () => {
      const [a, b] = pair(type)
      world.system.write(b, bytes('lost'))
      world.system.close(a)
      expect(failure(() => world.system.recv(b, new Uint8Array(8), MSG_PEEK | MSG_DONTWAIT))).toBe('ECONNRESET')
      expect(world.system.recv(b, new Uint8Array(8), MSG_DONTWAIT)).toBe(0)
    })

    it('its copies keep it open', () => {
      const [a, b] = pair(type)
      const copy = world.system.dup(a)
      world.system.close(a)
      expect(state(b)).toBe(POLLOUT)
      world.system.write(copy, bytes('alive'))
      expect(readText(world.system, b)).toBe('alive')
    })
  })

  describe('the order of data and loss', () => {
    it('a stream gives its data first', () => {
      const [a, b] = pair(SOCK_STREAM)
      world.system.write(b, bytes('lost'))
      world.system.write(a, bytes('kept'))
      world.system.close(a)
      expect(readText(world.system, b)).toBe('kept')
      expect(failure(() => world.system.read(b, new Uint8Array(8)))).toBe('ECONNRESET')
      expect(readText(world.system, b)).toBe('')
    })

    it('packets in sequence give the error first', () => {
      const [a, b] = pair(SOCK_SEQPACKET)
      world.system.write(b, bytes('lost'))
      world.system.write(a, bytes('kept'))
      world.system.close(a)
      expect(failure(() => world.system.read(b, new Uint8Array(8)))).toBe('ECONNRESET')
      expect(readText(world.system, b)).toBe('kept')
      expect(readText(world.system, b)).toBe('')
    })

    it('writing to a stream is EPIPE, and the loss is reported later', () => {
      const [a, b] = pair(SOCK_STREAM)
      world.system.write(b, bytes('lost'))
      world.system.close(a)
      expect(failure(() => world.system.write(b, bytes('x')))).toBe('EPIPE')
      expect(failure(() => world.system.write(b, bytes('')))).toBe('EPIPE')
      expect(failure(() => world.system.read(b, new Uint8Array(8)))).toBe('ECONNRESET')
    })

    it('writing packets in sequence reports the loss, then EPIPE', () => {
      const [a, b] = pair(SOCK_SEQPACKET)
      world.system.write(b, bytes('lost'))
      world.system.close(a)
      expect(failure(() => world.system.write(b, bytes('x')))).toBe('ECONNRESET')
      expect(failure(() => world.system.write(b, bytes('x')))).toBe('EPIPE')
    })
  })

  describe('datagrams', () => {
    it('a closed peer fails the first write only, which empties the queue', () => {
      const [a, b] = pair(SOCK_DGRAM)
      world.system.write(a, bytes('queued'))
      world.system.close(a)
      expect(state(b)).toBe(POLLIN | POLLOUT)
      expect(failure(() => world.system.write(b, bytes('x')))).toBe('ECONNREFUSED')
      expect(failure(() => world.system.read(b, new Uint8Array(8)))).toBe('EAGAIN')
      expect(failure(() => world.system.write(b, bytes('x')))).toBe('ENOTCONN')
    })

    it('there is no end of file', () => {
      const [a, b] = pair(SOCK_DGRAM)
      world.system.close(a)
      expect(failure(() => world.system.read(b, new Uint8Array(8)))).toBe('EAGAIN')
    })

    it('shut down for reading, the peer cannot write', () => {
      const [a, b] = pair(SOCK_DGRAM)
      world.system.shutdown(a, SHUT_RD)
      expect(failure(() => world.system.write(b, bytes('x')))).toBe('EPIPE')
      expect(state(b)).toBe(POLLOUT)
    })
  })
})
