import { describe, expect, it } from 'vitest'
import { bytes, constants, fill, outcome, program, read, text, wait, world } from '../world.ts'
import { pair } from './pair.ts'

const { AF_UNIX, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOL_SOCKET, SO_ERROR, SO_SNDBUF } = constants
const { POLLIN, POLLOUT, POLLHUP, POLLERR, POLLRDHUP, EPOLLIN, EPOLLOUT } = constants
const { MSG_PEEK, SHUT_RD, SHUT_WR, SHUT_RDWR } = constants

const hungUp = POLLIN | POLLOUT | POLLHUP | POLLRDHUP

describe('the send buffer counts truesize', () => {
  it.each([
    [1, 278],
    [193, 167],
    [4096, 44],
    [8192, 24],
    [32_768, 7],
  ])('a stream takes writes of %i bytes %i times', (size, writes) => {
    const { host, a } = pair(SOCK_STREAM)
    expect(fill(host, a, size).writes).toBe(writes)
  })

  it('a stream takes 219264 bytes of a giant write', () => {
    const { host, a } = pair(SOCK_STREAM)
    expect(host.write(a, bytes(1_000_000))).toBe(219_264)
  })

  it('a datagram socket takes 26 messages of 4096, and refuses one above SO_SNDBUF - 32 with EMSGSIZE', () => {
    const { host, a } = pair(SOCK_DGRAM)
    expect(outcome(() => host.write(a, bytes(212_992 - 31)))).toBe('EMSGSIZE')
    expect(fill(host, a, 4096).writes).toBe(26)
  })

  it('OUT clears after 70 writes of one byte though 208 more succeed, and comes back after 209 reads', () => {
    const { host, a, b, events } = pair(SOCK_STREAM)
    for (let i = 0; i < 69; i++) host.write(a, bytes(1))
    expect(events(a) & POLLOUT).toBe(POLLOUT)
    host.write(a, bytes(1))
    expect(events(a) & POLLOUT).toBe(0)
    expect(fill(host, a, 1).writes).toBe(208)
    for (let i = 0; i < 208; i++) host.read(b, bytes(1))
    expect(events(a) & POLLOUT).toBe(0)
    host.read(b, bytes(1))
    expect(events(a) & POLLOUT).toBe(POLLOUT)
  })

  it('is freed only when a chunk is read to its last byte', () => {
    const { host, a, b } = pair(SOCK_STREAM)
    fill(host, a, 32_768)
    host.read(b, bytes(32_767))
    expect(outcome(() => host.write(a, bytes(1)))).toBe('EAGAIN')
    host.read(b, bytes(1))
    expect(host.write(a, bytes(1))).toBe(1)
  })

  it('SO_SNDBUF is doubled, and at least 4608', () => {
    const { host, a } = pair(SOCK_STREAM)
    const set = (value: number) => {
      host.setsockopt(a, SOL_SOCKET, SO_SNDBUF, value)
      return host.getsockopt(a, SOL_SOCKET, SO_SNDBUF)
    }
    expect([set(10_000), set(1)]).toEqual([20_000, 4608])
  })
})

describe('edge-triggered epoll', () => {
  it('at the writer sees every message freed while there is ample room; at the reader every one that comes', () => {
    const { host, a, b, watch } = pair(SOCK_STREAM)
    const [atWriter, atReader] = [watch(a, EPOLLOUT), watch(b, EPOLLIN)]
    expect(atWriter()).toBe(EPOLLOUT)
    for (let i = 0; i < 3; i++) {
      host.write(a, bytes(1))
      expect(atReader()).toBe(EPOLLIN)
    }
    for (let i = 0; i < 3; i++) {
      host.read(b, bytes(1))
      expect(atWriter()).toBe(EPOLLOUT)
    }
  })

  it('is woken by its own events only: freed memory wakes no reader', () => {
    const { host, a, b, watch } = pair(SOCK_STREAM)
    host.write(b, bytes(1))
    const edge = watch(a, EPOLLIN)
    expect(edge()).toBe(EPOLLIN)
    host.write(a, bytes(1))
    host.read(b, bytes(1))
    expect(edge()).toBe(0)
    host.shutdown(b, SHUT_RD)
    expect(edge()).toBe(EPOLLIN)
    host.shutdown(b, SHUT_RD)
    expect(edge()).toBe(EPOLLIN)
  })
})

describe('blocked writers of a stream', () => {
  it.each([
    ['closes with unread data', (host: ReturnType<typeof pair>['host'], b: number) => host.close(b), 104],
    ['shuts down', (host: ReturnType<typeof pair>['host'], b: number) => host.shutdown(b, SHUT_RD), 32],
  ])('fail without SIGPIPE when the peer %s', (_, act, errno) => {
    const { host, kernel } = world()
    const [a, b] = host.socketpair(AF_UNIX, SOCK_STREAM | constants.SOCK_CLOEXEC)
    let got = 0
    kernel.install('/writer', function* (process) {
      try {
        for (;;) yield* process.write(1, bytes(32_768))
      } catch (error) {
        got = -(error as { errno: number }).errno
      }
    })
    const pid = host.fork(
      program({ op: 'dup2', fd: a, target: 1 }, { op: 'execve', files: ['/writer'], argv: [], env: [] }),
    )
    kernel.settle()
    host.close(a)
    act(host, b)
    expect([wait(host, pid), got]).toEqual([0, errno])
  })

  it('wake by data that comes in, too', () => {
    const { host, kernel } = world()
    const [a, b] = host.socketpair(AF_UNIX, SOCK_STREAM)
    let done = 0
    kernel.install('/writer', function* (process) {
      for (let i = 0; i < 280; i++) {
        yield* process.write(a, bytes(1))
        done++
      }
    })
    host.fork(program({ op: 'execve', files: ['/writer'], argv: [], env: [] }))
    kernel.settle()
    expect(done).toBe(278)
    // There is room for two messages, but more than a quarter of the buffer is taken: no wake-up.
    host.read(b, bytes(2))
    kernel.settle()
    expect(done).toBe(278)
    host.write(b, bytes(1))
    kernel.settle()
    expect(done).toBe(280)
  })
})

describe('a stream whose peer is closed', () => {
  it('is IN|OUT|HUP|RDHUP, reads 0, and fails writes with EPIPE, also of nothing', () => {
    const { host, a, b, events } = pair(SOCK_STREAM)
    host.close(b)
    expect(events(a)).toBe(hungUp)
    expect(host.read(a, bytes(1))).toBe(0)
    expect([outcome(() => host.write(a, bytes(1))), outcome(() => host.write(a, bytes(0)))]).toEqual(['EPIPE', 'EPIPE'])
  })

  it.each([
    ['a read', (host: ReturnType<typeof pair>['host'], a: number) => host.read(a, bytes(1)), 'ECONNRESET'],
    ['a peek', (host: ReturnType<typeof pair>['host'], a: number) => host.recv(a, bytes(1), MSG_PEEK), 'ECONNRESET'],
    ['SO_ERROR', (host: ReturnType<typeof pair>['host'], a: number) => host.getsockopt(a, SOL_SOCKET, SO_ERROR), 104],
  ])('adds ERR when data was lost, cleared once by %s but not by a write', (_, look, expected) => {
    const { host, a, b, events } = pair(SOCK_STREAM)
    host.write(a, bytes(2))
    host.read(b, bytes(1))
    host.close(b)
    expect(events(a)).toBe(hungUp | POLLERR)
    expect(outcome(() => host.write(a, bytes(1)))).toBe('EPIPE')
    expect(outcome(() => look(host, a))).toBe(expected)
    expect([events(a), host.read(a, bytes(1))]).toEqual([hungUp, 0])
  })

  it('reads data, then ECONNRESET, then 0', () => {
    const { host, a, b } = pair(SOCK_STREAM)
    host.write(a, bytes(1))
    host.write(b, text('last'))
    host.close(b)
    expect([read(host, a), outcome(() => read(host, a)), read(host, a)]).toEqual(['last', 'ECONNRESET', ''])
  })
})

describe('a sequenced packet socket whose peer is closed', () => {
  it('tells the error before data, and by a write too, then EPIPE', () => {
    const { host, a, b, events } = pair(SOCK_SEQPACKET)
    host.write(a, bytes(1))
    host.write(b, text('last'))
    host.close(b)
    expect(events(a)).toBe(hungUp | POLLERR)
    expect([outcome(() => host.write(a, bytes(1))), outcome(() => host.write(a, bytes(1)))]).toEqual([
      'ECONNRESET',
      'EPIPE',
    ])
    expect([read(host, a), read(host, a)]).toEqual(['last', ''])
  })
})

describe('a datagram socket whose peer is closed', () => {
  it('sees no event and no end; its first write is ECONNREFUSED and drops what was received, the next ENOTCONN', () => {
    const { host, a, b, events } = pair(SOCK_DGRAM)
    host.write(b, bytes(3))
    host.close(b)
    expect(events(a)).toBe(POLLIN | POLLOUT)
    expect(outcome(() => host.write(a, bytes(1)))).toBe('ECONNREFUSED')
    expect([events(a), outcome(() => host.read(a, bytes(1)))]).toEqual([POLLOUT, 'EAGAIN'])
    expect(outcome(() => host.write(a, bytes(1)))).toBe('ENOTCONN')
  })
})

describe('shutdown', () => {
  it('RD: read 0 after queued data and IN|RDHUP here, EPIPE for the peer; RDWR adds HUP; 3 is EINVAL', () => {
    const { host, a, b, events } = pair(SOCK_STREAM)
    host.write(b, text('x'))
    host.shutdown(a, SHUT_RD)
    expect(events(a)).toBe(POLLIN | POLLOUT | POLLRDHUP)
    expect([read(host, a), read(host, a)]).toEqual(['x', ''])
    expect(outcome(() => host.write(b, bytes(1)))).toBe('EPIPE')
    host.shutdown(a, SHUT_RDWR)
    expect([events(a), events(b)]).toEqual([hungUp, hungUp])
    expect(outcome(() => host.shutdown(a, 3))).toBe('EINVAL')
  })

  it('WR of both is HUP at both', () => {
    const { host, a, b, events } = pair(SOCK_SEQPACKET)
    host.shutdown(a, SHUT_WR)
    expect([events(a), events(b)]).toEqual([POLLOUT, POLLIN | POLLOUT | POLLRDHUP])
    host.shutdown(b, SHUT_WR)
    expect([events(a), events(b)]).toEqual([hungUp, hungUp])
  })

  it('of datagrams stays at its end: the peer’s write is EPIPE; a non-blocking read EAGAIN, a blocking one 0', () => {
    const { host, a, b, events } = pair(SOCK_DGRAM)
    host.shutdown(a, SHUT_RD)
    expect(events(b)).toBe(POLLOUT)
    expect(outcome(() => host.write(b, bytes(1)))).toBe('EPIPE')
    expect(outcome(() => host.read(a, bytes(1)))).toBe('EAGAIN')
    host.fcntl(a, constants.F_SETFL, 0)
    expect(host.read(a, bytes(1))).toBe(0)
  })
})
