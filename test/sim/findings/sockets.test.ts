import { describe, expect, it } from 'vitest'
import { bytes, constants } from '../world.ts'
import { racingProgram, together } from './run.ts'
import { type Part, racingPair, receive, send } from './socket-pair.ts'

const { AF_UNIX, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_NONBLOCK, SO_SNDBUF, SOL_SOCKET } = constants
const { MSG_PEEK, MSG_OOB, MSG_WAITALL, POLLPRI, POLLIN, POLLOUT } = constants
const everyType = [
  ['SOCK_STREAM', SOCK_STREAM],
  ['SOCK_DGRAM', SOCK_DGRAM],
  ['SOCK_SEQPACKET', SOCK_SEQPACKET],
] as const

describe.each(everyType)('a message of a %s pair', (_, type) => {
  it('orders what came before it, in either direction, and not what comes after', async () => {
    expect(await racingPair(type, send, receive)).toBe('none')
    expect(await racingPair(type, send, receive, 'store last')).toBe('all')
    const answer: Part = function* (self, fd) {
      yield* self.send(fd, bytes(1))
      yield* self.recv(fd, bytes(1))
    }
    const echo: Part = function* (self, fd) {
      yield* self.recv(fd, bytes(1))
      yield* self.send(fd, bytes(1))
    }
    expect(await racingPair(type, echo, answer)).toBe('none')
  })

  it('is acquired alone: one that was sent before says nothing of one sent after', async () => {
    const find = (reads: number) =>
      racingProgram(function* (self, cell) {
        const [a, b] = yield* self.socketpair(AF_UNIX, type)
        yield* together(
          self,
          function* (child) {
            yield* child.send(a, bytes(1))
            yield* child.store(cell, 1)
            yield* child.send(a, bytes(1))
          },
          function* (child) {
            for (let i = 0; i < reads; i++) yield* child.recv(b, bytes(1))
            yield* child.load(cell)
          },
        )
      })
    expect(await find(1)).toBe('all')
    expect(await find(2)).toBe('none')
  })

  it('that is only peeked at is acquired, too', async () => {
    expect(await racingPair(type, send, (self, fd) => self.recv(fd, bytes(1), MSG_PEEK))).toBe('none')
  })

  it('that a poll reports is acquired', async () => {
    const polled: Part = (self, fd) => self.poll([{ fd, events: POLLIN }], -1)
    expect(await racingPair(type, send, polled)).toBe('none')
    // In some runs the sender has been closed by then, and the poll reports that too.
    expect(await racingPair(type, send, polled, 'store last')).not.toBe('none')
  })

  it('that is only counted is acquired', async () => {
    const counted: Part = function* (self, fd) {
      while ((yield* self.bytesReadable(fd)) === 0) yield* self.schedYield()
    }
    expect(await racingPair(type, send, counted)).toBe('none')
  })

  it('may carry descriptors, and orders as any other', async () => {
    const found = await racingPair(
      type,
      function* (self, fd) {
        const [r] = yield* self.pipe2()
        yield* self.sendmsg(fd, { data: bytes(1), fds: [r] })
      },
      (self, fd) => self.recvmsg(fd, { buffer: bytes(1), maxFds: 1 }),
    )
    expect(found).toBe('none')
  })

  it('acquires the reads that made room for it', async () => {
    const find = (fills: boolean) =>
      racingProgram(function* (self, cell) {
        const [a, b] = yield* self.socketpair(AF_UNIX, type | SOCK_NONBLOCK)
        yield* self.setsockopt(a, SOL_SOCKET, SO_SNDBUF, 1)
        yield* self.send(a, bytes(1))
        for (let full = !fills; !full; ) {
          try {
            yield* self.send(a, bytes(1))
          } catch {
            full = true
          }
        }
        yield* together(
          self,
          function* (child) {
            yield* child.store(cell, 1)
            yield* child.recv(b, bytes(1))
          },
          function* (child) {
            for (let sent = false; !sent; ) {
              try {
                yield* child.send(a, bytes(1))
                sent = true
              } catch {
                yield* child.schedYield()
              }
            }
            yield* child.load(cell)
          },
        )
      })
    expect(await find(true)).toBe('none')
    expect(await find(false)).toBe('all')
  })

  it('acquires the reads for which it polled', async () => {
    const found = await racingProgram(function* (self, cell) {
      const [a, b] = yield* self.socketpair(AF_UNIX, type)
      yield* self.setsockopt(a, SOL_SOCKET, SO_SNDBUF, 1)
      // Two of them take more than a quarter of the smallest buffer.
      for (let i = 0; i < 2; i++) yield* self.send(a, bytes(1))
      yield* together(
        self,
        function* (child) {
          yield* child.store(cell, 1)
          for (let i = 0; i < 2; i++) yield* child.recv(b, bytes(1))
        },
        function* (child) {
          yield* child.poll([{ fd: a, events: POLLOUT }], -1)
          yield* child.load(cell)
        },
      )
    })
    expect(found).toBe('none')
  })
})

describe('a stream', () => {
  it('read in parts: each acquires the message of its bytes', async () => {
    const find = (count: number, flags = 0) =>
      racingProgram(function* (self, cell) {
        const [a, b] = yield* self.socketpair(AF_UNIX, SOCK_STREAM)
        yield* self.send(a, bytes(3))
        yield* together(
          self,
          function* (child) {
            yield* child.store(cell, 1)
            yield* child.send(a, bytes(1))
          },
          function* (child) {
            yield* child.recv(b, bytes(count), flags)
            yield* child.load(cell)
          },
        )
      })
    expect(await find(2)).toBe('all')
    expect(await find(4, MSG_WAITALL)).toBe('none')
    // Gets the second message where it is there in time.
    expect(await find(4)).toBe('some')
  })

  it('has urgent data, which orders as well, read or polled for', async () => {
    const sendUrgent: Part = (self, fd) => self.send(fd, bytes(1), MSG_OOB)
    const read: Part = function* (self, fd) {
      for (let urgent = false; !urgent; ) {
        try {
          yield* self.recv(fd, bytes(1), MSG_OOB)
          urgent = true
        } catch {
          // None yet.
        }
      }
    }
    expect(await racingPair(SOCK_STREAM, sendUrgent, read)).toBe('none')
    const polled: Part = (self, fd) => self.poll([{ fd, events: POLLPRI }], -1)
    expect(await racingPair(SOCK_STREAM, sendUrgent, polled)).toBe('none')
  })
})
