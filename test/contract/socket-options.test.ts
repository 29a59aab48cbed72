import { expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { bytes, failure, fill } from './helpers.ts'
import { describeContract } from './suite.ts'

const { AF_UNIX, SO_ACCEPTCONN, SO_DOMAIN, SO_ERROR, SO_PROTOCOL, SO_RCVBUF, SO_SNDBUF, SO_TYPE } = constants
const { SOCK_DGRAM, SOCK_NONBLOCK, SOCK_SEQPACKET, SOCK_STREAM, SOL_SOCKET } = constants

describeContract('socket options', world => {
  const socket = (type: number = SOCK_STREAM) => world.system.socketpair(AF_UNIX, type | SOCK_NONBLOCK)[0]
  const get = (fd: number, option: number) => world.system.getsockopt(fd, SOL_SOCKET, option)
  const set = (fd: number, option: number, value: number) => world.system.setsockopt(fd, SOL_SOCKET, option, value)

  it.for([SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET])(
    'SO_TYPE, SO_DOMAIN and SO_PROTOCOL tell what it is: type %i',
    type => {
      const fd = socket(type)
      expect(get(fd, SO_TYPE)).toBe(type)
      expect(get(fd, SO_DOMAIN)).toBe(AF_UNIX)
      expect(get(fd, SO_PROTOCOL)).toBe(0)
      expect(get(fd, SO_ACCEPTCONN)).toBe(0)
      expect(get(fd, SO_ERROR)).toBe(0)
    },
  )

  it('SO_SNDBUF is doubled', () => {
    const fd = socket()
    set(fd, SO_SNDBUF, 10_000)
    expect(get(fd, SO_SNDBUF)).toBe(20_000)
  })

  it('SO_SNDBUF is no less than a minimum and no more than twice the administrator allows', () => {
    const fd = socket()
    set(fd, SO_SNDBUF, 0)
    const least = get(fd, SO_SNDBUF)
    expect(least).toBeGreaterThan(2048)
    set(fd, SO_SNDBUF, 1)
    expect(get(fd, SO_SNDBUF)).toBe(least)
    set(fd, SO_SNDBUF, 0x7fffffff)
    const most = get(fd, SO_SNDBUF)
    set(fd, SO_SNDBUF, most)
    expect(get(fd, SO_SNDBUF)).toBe(most)
  })

  it('a smaller SO_SNDBUF takes less', () => {
    const wide = fill(world.system, socket(), 1024).total
    const narrow = socket()
    set(narrow, SO_SNDBUF, 0)
    expect(fill(world.system, narrow, 1024).total).toBeLessThan(wide / 4)
  })

  it('SO_RCVBUF is doubled, and does not bound what a peer may send', () => {
    const [a, b] = world.system.socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK)
    set(b, SO_RCVBUF, 5000)
    expect(get(b, SO_RCVBUF)).toBe(10_000)
    expect(fill(world.system, a, 4096).total).toBeGreaterThan(50_000)
  })

  it('what can only be read is ENOPROTOOPT to set', () => {
    const fd = socket()
    for (const option of [SO_TYPE, SO_ERROR, SO_DOMAIN, SO_PROTOCOL]) {
      expect(failure(() => set(fd, option, 1))).toBe('ENOPROTOOPT')
    }
  })

  it('an unknown option is ENOPROTOOPT', () => {
    const fd = socket()
    expect(failure(() => get(fd, 9999))).toBe('ENOPROTOOPT')
    expect(failure(() => get(fd, -1))).toBe('ENOPROTOOPT')
    expect(failure(() => set(fd, 9999, 1))).toBe('ENOPROTOOPT')
  })

  it('a level other than the socket itself is EOPNOTSUPP', () => {
    const fd = socket()
    expect(failure(() => world.system.getsockopt(fd, 6, 1))).toBe('EOPNOTSUPP')
    expect(failure(() => world.system.setsockopt(fd, 6, 1, 1))).toBe('EOPNOTSUPP')
  })

  it('belong to sockets that are open', () => {
    expect(failure(() => get(-1, SO_TYPE))).toBe('EBADF')
    expect(failure(() => set(-1, SO_SNDBUF, 1))).toBe('EBADF')
    const fd = socket()
    world.system.close(fd)
    expect(failure(() => get(fd, SO_TYPE))).toBe('EBADF')
    expect(failure(() => world.system.send(fd, bytes('x')))).toBe('EBADF')
  })
})
