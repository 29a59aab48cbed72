import { describe, expect, it } from 'vitest'
import { bytes, constants, outcome, program, read, text, wait, world } from '../world.ts'
import { pair } from './pair.ts'

const { AF_UNIX, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW, SOL_SOCKET } = constants
const { POLLIN, POLLPRI } = constants
const { MSG_PEEK, MSG_TRUNC, MSG_OOB, MSG_CTRUNC, MSG_DONTWAIT, MSG_WAITALL } = constants

describe('send and recv', () => {
  it('a read of nothing is 0; a stream’s recv of nothing waits, and an empty message is one', () => {
    const stream = pair(SOCK_STREAM)
    expect(stream.host.read(stream.a, bytes(0))).toBe(0)
    expect(outcome(() => stream.host.recv(stream.a, bytes(0)))).toBe('EAGAIN')
    for (const type of [SOCK_DGRAM, SOCK_SEQPACKET]) {
      const { host, a, b, events } = pair(type)
      host.write(a, bytes(0))
      expect([events(b) & POLLIN, host.read(b, bytes(9)), events(b) & POLLIN]).toEqual([POLLIN, 0, 0])
    }
  })

  it('FIONREAD is the total, of datagrams the first message', () => {
    for (const [type, expected] of [
      [SOCK_STREAM, 5],
      [SOCK_SEQPACKET, 5],
      [SOCK_DGRAM, 2],
    ] as const) {
      const { host, a, b } = pair(type)
      host.write(a, bytes(2))
      host.write(a, bytes(3))
      expect(host.bytesReadable(b)).toBe(expected)
    }
  })

  it('MSG_PEEK spans the chunks of a stream; MSG_TRUNC gives a message’s full length', () => {
    const stream = pair(SOCK_STREAM)
    stream.host.write(stream.a, text('ab'))
    stream.host.write(stream.a, text('cd'))
    expect(stream.host.recv(stream.b, bytes(10), MSG_PEEK)).toBe(4)
    expect(stream.host.recv(stream.b, bytes(3), MSG_TRUNC)).toBe(3)
    const { host, a, b } = pair(SOCK_DGRAM)
    host.write(a, bytes(100))
    expect(host.recv(b, bytes(10), MSG_TRUNC | MSG_PEEK)).toBe(100)
    expect(host.recvmsg(b, { buffer: bytes(10) })).toEqual({ bytes: 10, fds: [], flags: MSG_TRUNC })
  })

  it('urgent data is PRI, is read by MSG_OOB, and stops a plain read', () => {
    const { host, a, b, events } = pair(SOCK_STREAM)
    host.send(a, text('xyz'), MSG_OOB)
    expect(events(b) & POLLPRI).toBe(POLLPRI)
    const urgent = new Uint8Array(1)
    expect([host.recv(b, bytes(9)), host.recv(b, urgent, MSG_OOB), urgent[0]]).toEqual([2, 1, 122])
    expect(outcome(() => host.recv(b, urgent, MSG_OOB))).toBe('EINVAL')
  })

  it('MSG_DONTWAIT is for one call; MSG_WAITALL waits for all, and gives what it has when a signal comes', () => {
    const { host, kernel } = world()
    const [a, b] = host.socketpair(AF_UNIX, SOCK_STREAM)
    expect(outcome(() => host.recv(a, bytes(1), MSG_DONTWAIT))).toBe('EAGAIN')
    const got: number[] = []
    kernel.install('/reader', function* (process) {
      yield* process.sigaction('SIGUSR1', function* () {})
      got.push(yield* process.recv(a, new Uint8Array(4), MSG_WAITALL))
      got.push(yield* process.recv(a, new Uint8Array(4), MSG_WAITALL))
    })
    const pid = host.fork(program({ op: 'execve', files: ['/reader'], argv: [], env: [] }))
    host.write(b, bytes(3))
    kernel.settle()
    expect(got).toEqual([])
    host.write(b, bytes(3))
    kernel.settle()
    expect(got).toEqual([4])
    host.kill(pid, 'SIGUSR1')
    expect([wait(host, pid), got]).toEqual([0, [4, 2]])
  })
})

describe('SCM_RIGHTS', () => {
  it('passes descriptors, which keep their pipe open on the way', () => {
    const { host, a, b } = pair(SOCK_STREAM)
    const [r, w] = host.pipe2(constants.O_NONBLOCK)
    host.sendmsg(a, { data: text('x'), fds: [w] })
    host.close(w)
    expect(outcome(() => host.read(r, bytes(1)))).toBe('EAGAIN')
    const { fds, flags } = host.recvmsg(b, { buffer: bytes(1), maxFds: 1 })
    expect([fds, flags]).toEqual([[w], 0])
    host.write(w, text('through'))
    expect(read(host, r)).toBe('through')
  })

  it('are dropped by a plain read, and by a stream’s message of nothing; no room is MSG_CTRUNC', () => {
    const { host, a, b } = pair(SOCK_STREAM)
    const [r, w] = host.pipe2(constants.O_NONBLOCK)
    host.sendmsg(a, { data: bytes(0), fds: [w] })
    expect(outcome(() => host.recvmsg(b, { buffer: bytes(1), maxFds: 1 }))).toBe('EAGAIN')
    host.sendmsg(a, { data: bytes(1), fds: [w, w] })
    expect(host.recvmsg(b, { buffer: bytes(1), maxFds: 1 })).toMatchObject({ fds: [7], flags: MSG_CTRUNC })
    host.sendmsg(a, { data: bytes(1), fds: [w] })
    host.close(w)
    host.close(7)
    host.read(b, bytes(1))
    expect(host.read(r, bytes(1))).toBe(0)
  })

  it('end a read after their message; a peek gives copies', () => {
    const { host, a, b } = pair(SOCK_STREAM)
    host.sendmsg(a, { data: text('ab'), fds: [a] })
    host.write(a, text('cd'))
    const into = () => ({ buffer: bytes(9), maxFds: 2 })
    expect(host.recvmsg(b, into(), MSG_PEEK)).toMatchObject({ bytes: 2, fds: [5] })
    expect(host.recvmsg(b, into())).toMatchObject({ bytes: 2, fds: [6] })
    expect(host.recvmsg(b, into())).toMatchObject({ bytes: 2, fds: [] })
  })

  it('253 are the most: 254 are EINVAL', () => {
    const { host, a } = pair(SOCK_STREAM)
    const send = (count: number) => outcome(() => host.sendmsg(a, { data: bytes(1), fds: Array(count).fill(a) }))
    expect([send(253), send(254)]).toEqual([1, 'EINVAL'])
  })
})

describe('socketpair', () => {
  it.each([
    [AF_UNIX, SOCK_STREAM | 0x40, 0, 'EINVAL'],
    [AF_UNIX, 11, 0, 'EINVAL'],
    [AF_UNIX, 4, 0, 'ESOCKTNOSUPPORT'],
    [AF_UNIX, 10, 0, 'ESOCKTNOSUPPORT'],
    [AF_UNIX, 0, 0, 'ESOCKTNOSUPPORT'],
    [AF_UNIX, SOCK_STREAM, 2, 'EPROTONOSUPPORT'],
    [2, SOCK_STREAM, 0, 'EOPNOTSUPP'],
    [100, SOCK_STREAM, 0, 'EAFNOSUPPORT'],
  ])('of domain %i, type %i, protocol %i is %s', (domain, type, protocol, code) => {
    const { host } = world()
    expect(outcome(() => host.socketpair(domain, type, protocol))).toBe(code)
  })

  it('of SOCK_RAW gives datagrams, and protocol 1 is as good as 0', () => {
    const { host } = world()
    const [raw] = host.socketpair(AF_UNIX, SOCK_RAW, 1)
    expect(host.getsockopt(raw, SOL_SOCKET, constants.SO_TYPE)).toBe(SOCK_DGRAM)
    expect(host.getsockopt(raw, SOL_SOCKET, constants.SO_PEERCRED)).toBe(100)
  })
})
