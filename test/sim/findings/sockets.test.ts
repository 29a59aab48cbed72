import { describe, expect, it } from 'vitest'
import type { Calling, SimulatedProcess } from '../../../lib/sim/index.ts'
import { bytes, constants } from '../world.ts'
import { racingProgram, together } from './run.ts'

const { AF_UNIX, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_NONBLOCK, SHUT_WR, SHUT_RD, SO_SNDBUF, SOL_SOCKET } =
  constants
const { MSG_PEEK, MSG_OOB, MSG_WAITALL, POLLPRI, POLLRDHUP, POLLIN, POLLOUT, POLLERR, SHUT_RDWR } = constants
const everyType = [
  ['SOCK_STREAM', SOCK_STREAM],
  ['SOCK_DGRAM', SOCK_DGRAM],
  ['SOCK_SEQPACKET', SOCK_SEQPACKET],
] as const

type Part = (self: SimulatedProcess, fd: number) => Calling<unknown>

/**
 * Whether two processes at the ends of a pair race. One stores before or after its part of the exchange, the other
 * loads after its own part.
 */
function racingPair(type: number, storing: Part, loading: Part, order: 'store first' | 'store last' = 'store first') {
  return racingProgram(function* (self, cell) {
    const [a, b] = yield* self.socketpair(AF_UNIX, type)
    const pids = [
      yield* self.fork(function* (child) {
        yield* child.close(b)
        if (order === 'store first') yield* child.store(cell, 1)
        yield* storing(child, a)
        if (order === 'store last') yield* child.store(cell, 1)
      }),
      yield* self.fork(function* (child) {
        yield* child.close(a)
        yield* loading(child, b)
        yield* child.load(cell)
      }),
    ]
    for (const fd of [a, b]) yield* self.close(fd)
    for (const pid of pids) yield* self.waitpid(pid)
  })
}

const send: Part = (self, fd) => self.send(fd, bytes(1))
const receive: Part = (self, fd) => self.recv(fd, bytes(1))

/** Sends until a send fails. */
function* sendUntilItFails(self: SimulatedProcess, fd: number): Calling<void> {
  yield* self.sigaction('SIGPIPE', 'ignore')
  for (let sends = true; sends; ) {
    try {
      yield* self.send(fd, bytes(1000))
    } catch {
      sends = false
    }
  }
}

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

  it('reset by a close with unread data acquires what came before the close', async () => {
    const found = await racingProgram(function* (self, cell) {
      const [a, b] = yield* self.socketpair(AF_UNIX, SOCK_STREAM)
      yield* self.send(b, bytes(1))
      const closing = yield* self.fork(function* (child) {
        yield* child.store(cell, 1)
        yield* child.close(a)
      })
      yield* self.close(a)
      try {
        yield* self.recv(b, bytes(1))
      } catch {
        yield* self.load(cell)
      }
      yield* self.waitpid(closing)
    })
    expect(found).toBe('none')
  })
})

describe('a poll that reports an error', () => {
  it('acquires the close that left unread data, apart from the shutdown before', async () => {
    const found = await racingProgram(function* (self, cell) {
      const [a, b] = yield* self.socketpair(AF_UNIX, SOCK_STREAM)
      yield* self.send(b, bytes(1))
      yield* self.shutdown(a, SHUT_RDWR)
      const closing = yield* self.fork(function* (child) {
        yield* child.store(cell, 1)
        yield* child.close(a)
      })
      yield* self.close(a)
      for (let revents = 0; !(revents & POLLERR); ) [revents = 0] = yield* self.poll([{ fd: b, events: 0 }], -1)
      yield* self.load(cell)
      yield* self.waitpid(closing)
    })
    expect(found).toBe('none')
  })
})

describe('a datagram', () => {
  it.each([
    ['is gone: ECONNREFUSED', (self: SimulatedProcess, fd: number) => self.close(fd)],
    ['takes no more: EPIPE', (self: SimulatedProcess, fd: number) => self.shutdown(fd, SHUT_RD)],
  ])('to a peer that %s, which is after what made it so', async (_, end) => {
    const found = await racingPair(SOCK_DGRAM, end, sendUntilItFails)
    expect(found).toBe('none')
  })
})

describe('a write that waits for room', () => {
  it('and fails at the end of its peer comes after that end', async () => {
    for (const end of [
      (self: SimulatedProcess, fd: number) => self.shutdown(fd, SHUT_RD),
      (self: SimulatedProcess, fd: number) => self.close(fd),
    ]) {
      const found = await racingPair(
        SOCK_STREAM,
        function* (self, fd) {
          // When time passes, the other one waits.
          yield* self.sleep(1)
          yield* end(self, fd)
        },
        sendUntilItFails,
      )
      expect(found).toBe('none')
    }
  })
})

describe.each([
  ['SOCK_STREAM', SOCK_STREAM],
  ['SOCK_SEQPACKET', SOCK_SEQPACKET],
] as const)('the end of a %s pair', (_, type) => {
  it('is after the close of its peer, and after a shutdown', async () => {
    const shutdown: Part = (self, fd) => self.shutdown(fd, SHUT_WR)
    expect(await racingPair(type, (self, fd) => self.close(fd), receive)).toBe('none')
    expect(await racingPair(type, shutdown, receive)).toBe('none')
    expect(await racingPair(type, shutdown, receive, 'store last')).toBe('all')
  })

  it.each([
    ['POLLRDHUP', POLLRDHUP],
    ['POLLIN', POLLIN],
  ])('is what a poll for %s is told', async (_, events) => {
    const polled: Part = (self, fd) => self.poll([{ fd, events }], -1)
    expect(await racingPair(type, (self, fd) => self.shutdown(fd, SHUT_WR), polled)).toBe('none')
  })

  it('is what POLLHUP reports', async () => {
    const polled: Part = (self, fd) => self.poll([{ fd, events: 0 }], -1)
    expect(await racingPair(type, (self, fd) => self.close(fd), polled)).toBe('none')
  })

  it('may be made at the reader’s own end, by another process', async () => {
    const found = await racingProgram(function* (self, cell) {
      const [, b] = yield* self.socketpair(AF_UNIX, type)
      yield* together(
        self,
        function* (child) {
          yield* child.store(cell, 1)
          yield* child.shutdown(b, SHUT_RD)
        },
        function* (child) {
          yield* child.recv(b, bytes(1))
          yield* child.load(cell)
        },
      )
    })
    expect(found).toBe('none')
  })

  it('makes writes fail, which are after it', async () => {
    const found = await racingPair(type, (self, fd) => self.shutdown(fd, SHUT_RD), sendUntilItFails)
    expect(found).toBe('none')
  })

  it('does not show in a poll that reports data', async () => {
    const found = await racingProgram(function* (self, cell) {
      const [a, b] = yield* self.socketpair(AF_UNIX, type)
      yield* self.send(a, bytes(1))
      yield* together(
        self,
        function* (child) {
          yield* child.store(cell, 1)
          yield* child.shutdown(a, SHUT_WR)
        },
        function* (child) {
          yield* child.poll([{ fd: b, events: POLLIN }], -1)
          yield* child.load(cell)
        },
      )
    })
    expect(found).toBe('all')
  })
})
