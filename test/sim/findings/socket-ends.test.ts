/** What the end of a socket orders: a close, a shutdown, a reset. */

import { describe, expect, it } from 'vitest'
import type { Calling, SimulatedProcess } from '../../../lib/sim/index.ts'
import { bytes, constants } from '../world.ts'
import { racingProgram, together } from './run.ts'
import { type Part, racingPair, receive } from './socket-pair.ts'

const { AF_UNIX, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SHUT_WR, SHUT_RD, SHUT_RDWR } = constants
const { POLLRDHUP, POLLIN, POLLERR } = constants

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

describe('a stream', () => {
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
