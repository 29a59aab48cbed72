import { beforeEach, describe, expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { bytes, failure, readText } from './helpers.ts'
import { describeContract } from './suite.ts'

const { F_GETFD, F_GETFL, F_GETPIPE_SZ, F_SETPIPE_SZ, FD_CLOEXEC, O_CLOEXEC, O_DIRECT, O_EXCL, O_NONBLOCK, O_RDONLY } =
  constants
const { O_WRONLY, SOL_SOCKET, SO_TYPE } = constants

describeContract('pipes', world => {
  describe('as they are made', () => {
    it('carry bytes from the write end to the read end, in order', () => {
      const [r, w] = world.system.pipe2()
      expect(world.system.write(w, bytes('first '))).toBe(6)
      expect(world.system.write(w, bytes('second'))).toBe(6)
      expect(readText(world.system, r)).toBe('first second')
    })

    it('take the two lowest free descriptors, the read end first', () => {
      const [r, w] = world.system.pipe2()
      const [r2, w2] = world.system.pipe2()
      for (const fd of [r, w]) world.system.close(fd)
      expect(world.system.pipe2()).toEqual([r, w])
      expect([r2, w2].every(fd => fd > Math.max(r, w))).toBe(true)
    })

    it('have the access modes of their ends and no other flag', () => {
      const [r, w] = world.system.pipe2()
      expect(world.system.fcntl(r, F_GETFL)).toBe(O_RDONLY)
      expect(world.system.fcntl(w, F_GETFL)).toBe(O_WRONLY)
      expect(world.system.fcntl(r, F_GETFD)).toBe(0)
      expect(world.system.fcntl(w, F_GETFD)).toBe(0)
    })

    it('are non-blocking and close-on-exec at both ends when asked to', () => {
      const [r, w] = world.system.pipe2(O_NONBLOCK | O_CLOEXEC)
      expect(world.system.fcntl(r, F_GETFL)).toBe(O_RDONLY | O_NONBLOCK)
      expect(world.system.fcntl(w, F_GETFL)).toBe(O_WRONLY | O_NONBLOCK)
      expect(world.system.fcntl(r, F_GETFD)).toBe(FD_CLOEXEC)
      expect(world.system.fcntl(w, F_GETFD)).toBe(FD_CLOEXEC)
    })

    it('show packet mode at the write end only', () => {
      const [r, w] = world.system.pipe2(O_DIRECT)
      expect(world.system.fcntl(r, F_GETFL)).toBe(O_RDONLY)
      expect(world.system.fcntl(w, F_GETFL)).toBe(O_WRONLY | O_DIRECT)
    })

    it('are refused with EINVAL for a flag that pipes do not have', () => {
      for (const flags of [1, 0x40, 0x400, 0x80000000, -1]) {
        expect(failure(() => world.system.pipe2(flags))).toBe('EINVAL')
      }
    })

    it('are refused with ENOPKG or EINVAL for O_EXCL, which notification pipes use', () => {
      expect(['ENOPKG', 'EINVAL']).toContain(failure(() => world.system.pipe2(O_EXCL)))
    })
  })

  describe('at their ends', () => {
    it('reading from an empty pipe that does not block fails with EAGAIN', () => {
      const [r] = world.system.pipe2(O_NONBLOCK)
      expect(failure(() => world.system.read(r, new Uint8Array(1)))).toBe('EAGAIN')
    })

    it('reading gives what is left, then end of file, once the last writer has gone', () => {
      const [r, w] = world.system.pipe2()
      const second = world.system.dup(w)
      world.system.write(w, bytes('rest'))
      world.system.close(w)
      expect(readText(world.system, r, 2)).toBe('re')
      world.system.close(second)
      expect(readText(world.system, r)).toBe('st')
      expect(world.system.read(r, new Uint8Array(8))).toBe(0)
      expect(world.system.read(r, new Uint8Array(8))).toBe(0)
    })

    it('writing with no reader fails with EPIPE', () => {
      const [r, w] = world.system.pipe2()
      world.system.close(r)
      expect(failure(() => world.system.write(w, bytes('x')))).toBe('EPIPE')
    })

    it('using the wrong end fails with EBADF, even for nothing', () => {
      const [r, w] = world.system.pipe2(O_NONBLOCK)
      for (const size of [0, 1]) {
        expect(failure(() => world.system.read(w, new Uint8Array(size)))).toBe('EBADF')
        expect(failure(() => world.system.write(r, new Uint8Array(size)))).toBe('EBADF')
      }
    })

    it('moving no bytes succeeds, whatever state the pipe is in', () => {
      const [r, w] = world.system.pipe2(O_NONBLOCK)
      expect(world.system.read(r, new Uint8Array(0))).toBe(0)
      expect(world.system.write(w, new Uint8Array(0))).toBe(0)
      world.system.close(r)
      expect(world.system.write(w, new Uint8Array(0))).toBe(0)
    })

    it('bytesReadable() reports the readable bytes at both ends', () => {
      const [r, w] = world.system.pipe2()
      world.system.write(w, bytes(5000))
      world.system.read(r, new Uint8Array(1))
      expect(world.system.bytesReadable(r)).toBe(4999)
      expect(world.system.bytesReadable(w)).toBe(4999)
    })

    it('they are no sockets', () => {
      const [r, w] = world.system.pipe2(O_NONBLOCK)
      expect(failure(() => world.system.send(w, bytes('x')))).toBe('ENOTSOCK')
      expect(failure(() => world.system.recv(r, new Uint8Array(1)))).toBe('ENOTSOCK')
      expect(failure(() => world.system.sendmsg(w, { data: bytes('x') }))).toBe('ENOTSOCK')
      expect(failure(() => world.system.recvmsg(r, { buffer: new Uint8Array(1) }))).toBe('ENOTSOCK')
      expect(failure(() => world.system.shutdown(w, 1))).toBe('ENOTSOCK')
      expect(failure(() => world.system.getsockopt(w, SOL_SOCKET, SO_TYPE))).toBe('ENOTSOCK')
      expect(failure(() => world.system.setsockopt(w, SOL_SOCKET, SO_TYPE, 1))).toBe('ENOTSOCK')
    })
  })

  describe('in size', () => {
    let [r, w] = [-1, -1]
    beforeEach(context => {
      ;[r, w] = world.system.pipe2(O_NONBLOCK)
      // A user with very many pipes gets smaller ones, which may not grow (EPERM).
      if (world.system.fcntl(w, F_GETPIPE_SZ) !== 65536) context.skip('new pipes are not of 65536 bytes here')
    })
    const set = (size: number) => world.system.fcntl(w, F_SETPIPE_SZ, size)

    it('round up to a power of two of at least a page, at either end', () => {
      expect(set(1)).toBe(4096)
      expect(set(4097)).toBe(8192)
      expect(set(3 * 4096)).toBe(16384)
      expect(world.system.fcntl(r, F_GETPIPE_SZ)).toBe(16384)
      expect(world.system.fcntl(r, F_SETPIPE_SZ, 0)).toBe(4096)
      expect(world.system.fcntl(w, F_GETPIPE_SZ)).toBe(4096)
    })

    it('are refused with EINVAL beyond 2 GiB', () => {
      expect(failure(() => set(0x80000001))).toBe('EINVAL')
      expect(failure(() => set(-1))).toBe('EINVAL')
    })

    it('do not shrink below what is in them: EBUSY', () => {
      set(4 * 4096)
      world.system.write(w, bytes(2 * 4096 + 1))
      expect(failure(() => set(2 * 4096))).toBe('EBUSY')
      expect(world.system.fcntl(w, F_GETPIPE_SZ)).toBe(16384)
      world.system.read(r, new Uint8Array(4096))
      expect(set(2 * 4096)).toBe(8192)
      expect(world.system.bytesReadable(r)).toBe(4097)
    })

    it('hold as many bytes as were set', () => {
      set(8192)
      expect(world.system.write(w, bytes(10_000))).toBe(8192)
      expect(failure(() => world.system.write(w, bytes(1)))).toBe('EAGAIN')
    })

    it('belong to pipes: elsewhere EBADF', () => {
      const [socket] = world.system.socketpair(constants.AF_UNIX, constants.SOCK_STREAM)
      expect(failure(() => world.system.fcntl(socket, F_SETPIPE_SZ, 4096))).toBe('EBADF')
      expect(failure(() => world.system.fcntl(socket, F_GETPIPE_SZ))).toBe('EBADF')
    })
  })
})
