import { describe, expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { bytes, failure, readText } from './helpers.ts'
import { describeContract } from './suite.ts'

const { F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_GETFL, F_SETFD, F_SETFL, FD_CLOEXEC } = constants
const { O_APPEND, O_ASYNC, O_CLOEXEC, O_CREAT, O_DIRECT, O_NOATIME, O_NONBLOCK, O_RDWR, O_WRONLY } = constants

describeContract('descriptors', world => {
  describe('closing', () => {
    it('frees the number, and again is EBADF', () => {
      const [r, w] = world.system.pipe2()
      world.system.close(w)
      expect(failure(() => world.system.close(w))).toBe('EBADF')
      expect(failure(() => world.system.write(w, bytes('x')))).toBe('EBADF')
      expect(failure(() => world.system.fcntl(w, F_GETFD))).toBe('EBADF')
      expect(failure(() => world.system.bytesReadable(w))).toBe('EBADF')
      expect(world.system.dup(r)).toBe(w)
    })

    it.for([-1, -2147483648, 2147483647, 1_000_000])('of %i, which is not open, is EBADF', fd => {
      expect(failure(() => world.system.close(fd))).toBe('EBADF')
    })
  })

  describe('dup', () => {
    it('takes the lowest free number and shares the open file, its flags too', () => {
      const [r, w] = world.system.pipe2(O_CLOEXEC)
      world.system.close(r)
      const copy = world.system.dup(w)
      expect(copy).toBe(r)
      expect(world.system.fcntl(copy, F_GETFD)).toBe(0)
      world.system.fcntl(copy, F_SETFL, O_NONBLOCK)
      expect(world.system.fcntl(w, F_GETFL)).toBe(O_WRONLY | O_NONBLOCK)
    })

    it('of what is not open is EBADF', () => {
      expect(failure(() => world.system.dup(-1))).toBe('EBADF')
      expect(failure(() => world.system.dup(1_000_000))).toBe('EBADF')
    })
  })

  describe('dup3', () => {
    it('puts the file at the number asked for, closing what was there', () => {
      const [r, w] = world.system.pipe2()
      const [r2, w2] = world.system.pipe2()
      expect(world.system.dup3(w, w2)).toBe(w2)
      expect(world.system.read(r2, new Uint8Array(1))).toBe(0)
      world.system.write(w2, bytes('moved'))
      expect(readText(world.system, r)).toBe('moved')
    })

    it('reaches a number that was free, and sets close-on-exec when asked to', () => {
      const [r] = world.system.pipe2()
      const free = world.system.dup(r)
      world.system.close(free)
      expect(world.system.dup3(r, free, O_CLOEXEC)).toBe(free)
      expect(world.system.fcntl(free, F_GETFD)).toBe(FD_CLOEXEC)
      expect(world.system.dup3(r, free)).toBe(free)
      expect(world.system.fcntl(free, F_GETFD)).toBe(0)
    })

    it('onto itself, or with flags that it does not have, is EINVAL', () => {
      const [r, w] = world.system.pipe2()
      expect(failure(() => world.system.dup3(r, r))).toBe('EINVAL')
      expect(failure(() => world.system.dup3(r, w, O_NONBLOCK))).toBe('EINVAL')
      expect(world.system.fcntl(w, F_GETFL)).toBe(O_WRONLY)
    })

    it('from or to an invalid descriptor is EBADF, and closes nothing', () => {
      const [r, w] = world.system.pipe2()
      expect(failure(() => world.system.dup3(-1, w))).toBe('EBADF')
      expect(failure(() => world.system.dup3(1_000_000, w))).toBe('EBADF')
      expect(failure(() => world.system.dup3(r, -1))).toBe('EBADF')
      expect(failure(() => world.system.dup3(r, 2_000_000_000))).toBe('EBADF')
      expect(world.system.write(w, bytes('x'))).toBe(1)
    })
  })

  describe('fcntl', () => {
    it('F_DUPFD takes the lowest free number from a start', () => {
      const [r] = world.system.pipe2()
      const high = world.system.fcntl(r, F_DUPFD, 200)
      expect(high).toBeGreaterThanOrEqual(200)
      expect(world.system.fcntl(r, F_DUPFD, high)).toBe(high + 1)
      expect(world.system.fcntl(high, F_GETFD)).toBe(0)
    })

    it('F_DUPFD_CLOEXEC makes the copy close-on-exec', () => {
      const [r] = world.system.pipe2()
      const copy = world.system.fcntl(r, F_DUPFD_CLOEXEC, 0)
      expect(world.system.fcntl(copy, F_GETFD)).toBe(FD_CLOEXEC)
    })

    it('F_DUPFD from a start beyond the limit is EINVAL', () => {
      const [r] = world.system.pipe2()
      expect(failure(() => world.system.fcntl(r, F_DUPFD, 2_000_000_000))).toBe('EINVAL')
      expect(failure(() => world.system.fcntl(r, F_DUPFD, -1))).toBe('EINVAL')
    })

    it('F_SETFD keeps close-on-exec only, for this descriptor only', () => {
      const [r] = world.system.pipe2()
      const copy = world.system.dup(r)
      expect(world.system.fcntl(r, F_SETFD, 0xff)).toBe(0)
      expect(world.system.fcntl(r, F_GETFD)).toBe(FD_CLOEXEC)
      expect(world.system.fcntl(copy, F_GETFD)).toBe(0)
      world.system.fcntl(r, F_SETFD, 0xfe)
      expect(world.system.fcntl(r, F_GETFD)).toBe(0)
    })

    it('F_SETFL keeps what can change and ignores the rest', () => {
      const [, w] = world.system.pipe2()
      world.system.fcntl(w, F_SETFL, O_RDWR | O_CREAT | O_CLOEXEC | 0x40000000)
      expect(world.system.fcntl(w, F_GETFL)).toBe(O_WRONLY)
      world.system.fcntl(w, F_SETFL, O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | O_ASYNC)
      expect(world.system.fcntl(w, F_GETFL)).toBe(O_WRONLY | O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | O_ASYNC)
      world.system.fcntl(w, F_SETFL, 0)
      expect(world.system.fcntl(w, F_GETFL)).toBe(O_WRONLY)
    })

    it('a socket keeps them too, but for O_DIRECT', () => {
      const [a] = world.system.socketpair(constants.AF_UNIX, constants.SOCK_STREAM)
      world.system.fcntl(a, F_SETFL, O_APPEND | O_NONBLOCK)
      expect(world.system.fcntl(a, F_GETFL)).toBe(O_RDWR | O_APPEND | O_NONBLOCK)
    })

    // F_GETLK, F_SETLK, F_SETLKW, F_SETOWN_EX, F_GETOWN_EX, F_GETOWNER_UIDS, F_OFD_*, F_GET_RW_HINT …
    it.for([5, 6, 7, 15, 16, 17, 36, 37, 38, 1035, 1036, 1037, 1038, 1039, 1040])(
      'command %i, whose argument would be an address, is EINVAL and writes nowhere',
      command => {
        const [r] = world.system.pipe2()
        for (const argument of [0, 1, 4096, 0x400000]) {
          expect(failure(() => world.system.fcntl(r, command, argument))).toBe('EINVAL')
        }
      },
    )

    it('an unknown command is EINVAL, a closed descriptor EBADF', () => {
      const [r] = world.system.pipe2()
      expect(failure(() => world.system.fcntl(r, 9999))).toBe('EINVAL')
      expect(failure(() => world.system.fcntl(r, -1))).toBe('EINVAL')
      expect(failure(() => world.system.fcntl(-1, F_GETFL))).toBe('EBADF')
      expect(failure(() => world.system.fcntl(-1, 9999))).toBe('EBADF')
    })
  })

  it('every call on what is not open is EBADF', () => {
    const { system } = world
    const empty = new Uint8Array(1)
    for (const fd of [-1, 1_000_000]) {
      expect(failure(() => system.read(fd, empty))).toBe('EBADF')
      expect(failure(() => system.write(fd, empty))).toBe('EBADF')
      expect(failure(() => system.send(fd, empty))).toBe('EBADF')
      expect(failure(() => system.recv(fd, empty))).toBe('EBADF')
      expect(failure(() => system.sendmsg(fd, { data: empty, fds: [0] }))).toBe('EBADF')
      expect(failure(() => system.recvmsg(fd, { buffer: empty }))).toBe('EBADF')
      expect(failure(() => system.shutdown(fd, 0))).toBe('EBADF')
      expect(failure(() => system.bytesReadable(fd))).toBe('EBADF')
      expect(failure(() => system.epollCtl(fd, 1, 0, { events: 1, data: 0 }))).toBe('EBADF')
      expect(failure(() => system.epollWait(fd, 1, 0))).toBe('EBADF')
    }
  })
})
