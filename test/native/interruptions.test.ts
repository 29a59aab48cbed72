import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openSystem } from '../../lib/open-system.ts'
import type { ChildAction } from '../../lib/system/child-program.ts'
import { constants } from '../../lib/system/constants.ts'
import { isErrno } from '../../lib/system/errors.ts'
import { bytes, heldChild, rejection } from '../contract/helpers.ts'
import { describeNative } from '../support/describe-native.ts'
import { tidyNative } from '../support/tidy.ts'

const { AF_UNIX, POLLIN, SOCK_STREAM } = constants

describeNative('what comes in between', () => {
  const system = tidyNative()

  describe('a SIGCHLD that arrives while a call blocks', () => {
    /** Children end, and SIGCHLD comes, around the moment when the awaited event happens. */
    const amongEnds = (action: ChildAction, call: () => unknown) => {
      const stop = system.onChildChange(() => {})
      const doer = heldChild(system, { after: [action] })
      const others = Array.from({ length: 10 }, () => heldChild(system))
      for (const other of others) other.release()
      doer.release()
      const result = call()
      for (const { pid } of [doer, ...others]) system.waitpid(pid)
      stop()
      return result
    }

    it('does not end a read of a pipe', () => {
      const [r, w] = system.pipe2()
      const data: ChildAction = { op: 'write', fd: w, data: bytes('data') }
      expect(amongEnds(data, () => system.read(r, new Uint8Array(9)))).toBe(4)
    })

    it('does not end a read of a socket', () => {
      const [a, b] = system.socketpair(AF_UNIX, SOCK_STREAM)
      const data: ChildAction = { op: 'write', fd: a, data: bytes('data') }
      expect(amongEnds(data, () => system.recv(b, new Uint8Array(9)))).toBe(4)
    })

    it('may end a poll or an epoll_wait with EINTR, as Linux does; made again it answers', () => {
      const again = <T>(call: () => T): T => {
        for (;;) {
          try {
            return call()
          } catch (error) {
            if (!isErrno(error, 'EINTR')) throw error
          }
        }
      }
      const [r, w] = system.pipe2()
      const data: ChildAction = { op: 'write', fd: w, data: bytes('data') }
      expect(amongEnds(data, () => again(() => system.poll([{ fd: r, events: POLLIN }], -1)))).toEqual([POLLIN])
      system.read(r, new Uint8Array(9))
      const epoll = system.epollCreate1()
      system.epollCtl(epoll, constants.EPOLL_CTL_ADD, r, { events: POLLIN, data: 1 })
      expect(amongEnds(data, () => again(() => system.epollWait(epoll, 1, -1)))).toEqual([{ events: POLLIN, data: 1 }])
    })

    it('does not end a waitpid', () => {
      const stop = system.onChildChange(() => {})
      const waited = heldChild(system, { after: [{ op: 'exit', code: 6 }] })
      const others = Array.from({ length: 20 }, () => system.fork({ actions: [] }))
      waited.release()
      expect(system.waitpid(waited.pid)?.raw).toBe(0x0600)
      for (const pid of others) expect(system.waitpid(pid)?.raw).toBe(0)
      stop()
    })
  })

  describe('a descriptor that is closed behind the back of the system while it is watched', () => {
    it('does no harm to the next of that number', async () => {
      for (let round = 0; round < 20; round++) {
        const real = openSystem('native')
        const [r, w] = real.pipe2()
        const controller = new AbortController()
        const lost = real.ready(r, POLLIN, { signal: controller.signal })
        lost.catch(() => {})
        closeSync(r)
        closeSync(w)
        const [r2, w2] = system.pipe2()
        expect(r2).toBe(r)
        system.write(w2, bytes('x'))
        expect(await system.ready(r2, POLLIN)).toBe(POLLIN)
        controller.abort(new Error('over'))
        expect(await rejection(lost)).toBeInstanceOf(Error)
        expect(await system.ready(r2, POLLIN)).toBe(POLLIN)
        system.close(r2)
        system.close(w2)
      }
    })

    it('can be given up', async () => {
      const real = openSystem('native')
      const [r, w] = real.pipe2()
      const controller = new AbortController()
      const lost = real.ready(r, POLLIN, { signal: controller.signal })
      closeSync(r)
      closeSync(w)
      const reason = new Error('given up')
      controller.abort(reason)
      expect(await rejection(lost)).toBe(reason)
    })

    it('and comes again as a regular file is ready as such', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'tracegate-'))
      try {
        const real = openSystem('native')
        const [r, w] = real.pipe2()
        const lost = real.ready(r, POLLIN)
        lost.catch(() => {})
        closeSync(r)
        const file = join(folder, 'file')
        writeFileSync(file, 'contents')
        const fd = openSync(file, 'r')
        expect(fd).toBe(r)
        expect(await system.ready(fd, POLLIN)).toBe(POLLIN)
        expect(await rejection(lost)).toMatchObject({ code: 'EBADF' })
        closeSync(fd)
        closeSync(w)
      } finally {
        rmSync(folder, { recursive: true })
      }
    })
  })

  it('regular files and devices without readiness are always ready', async () => {
    for (const path of ['/etc/passwd', '/dev/null', '/']) {
      const fd = openSync(path, 'r')
      expect(await system.ready(fd, POLLIN)).toBe(POLLIN)
      closeSync(fd)
    }
  })
})
