import { describe, expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { isErrno } from '../../lib/system/errors.ts'
import { bytes, drain, fill, heldChild, rejection } from './helpers.ts'
import { describeContract } from './suite.ts'

const { AF_UNIX, EPOLL_CTL_ADD, EPOLLIN, F_GETFL, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants
const { POLLERR, POLLHUP, POLLIN, POLLOUT, SOCK_STREAM } = constants

describeContract('ready', world => {
  const pipe = (flags = 0) => world.system.pipe2(flags)
  /** Whether the promise is still pending after all due events have been handled. */
  const isPending = async (promise: Promise<unknown>) => {
    const [r, w] = pipe()
    world.system.write(w, bytes('x'))
    for (let turn = 0; turn < 3; turn++) {
      const first = await Promise.race([
        promise.then(
          () => 'settled',
          () => 'settled',
        ),
        world.system.ready(r, POLLIN),
      ])
      if (first === 'settled') return false
    }
    return true
  }
  const becomesEbadf = async (promise: Promise<unknown>) => isErrno(await rejection(promise), 'EBADF')

  it('resolves with revents when the descriptor already is', async () => {
    const [r, w] = pipe()
    world.system.write(w, bytes('x'))
    expect(await world.system.ready(r, POLLIN)).toBe(POLLIN)
    expect(await world.system.ready(w, POLLOUT)).toBe(POLLOUT)
  })

  it('resolves when it becomes so, and takes nothing', async () => {
    const [r, w] = pipe()
    const ready = world.system.ready(r, POLLIN)
    expect(await isPending(ready)).toBe(true)
    world.system.write(w, bytes('x'))
    expect(await ready).toBe(POLLIN)
    expect(world.system.bytesReadable(r)).toBe(1)
  })

  it('resolves when another process makes it so', async () => {
    const [r, w] = pipe()
    const child = heldChild(world.system, { after: [{ op: 'write', fd: w, data: bytes('x') }] })
    const ready = world.system.ready(r, POLLIN)
    child.release()
    expect(await ready).toBe(POLLIN)
    world.system.waitpid(child.pid)
  })

  it('leaves the flags of the descriptor and of its file alone', async () => {
    const [r, w] = pipe()
    const ready = world.system.ready(r, POLLIN)
    expect(world.system.fcntl(r, F_GETFL)).toBe(O_RDONLY)
    world.system.write(w, bytes('x'))
    await Promise.all([ready, world.system.ready(w, POLLOUT)])
    expect(world.system.fcntl(r, F_GETFL)).toBe(O_RDONLY)
    expect(world.system.fcntl(w, F_GETFL)).toBe(O_WRONLY)
  })

  it('resolves with a hang-up or an error that was not asked for', async () => {
    const [r, w] = pipe()
    const hangUp = world.system.ready(r, 0)
    world.system.close(w)
    expect(await hangUp).toBe(POLLHUP)
    const [r2, w2] = pipe(O_NONBLOCK)
    fill(world.system, w2, 4096)
    const error = world.system.ready(w2, POLLOUT)
    world.system.close(r2)
    expect(await error).toBe(POLLERR)
  })

  it('of the end of a pipe asked for reading is the hang-up alone', async () => {
    const [r, w] = pipe()
    world.system.close(w)
    expect(await world.system.ready(r, POLLIN)).toBe(POLLHUP)
  })

  it('takes an epoll too', async () => {
    const [r, w] = pipe()
    const epoll = world.system.epollCreate1()
    world.system.epollCtl(epoll, EPOLL_CTL_ADD, r, { events: EPOLLIN, data: 1 })
    const ready = world.system.ready(epoll, POLLIN)
    world.system.write(w, bytes('x'))
    expect(await ready).toBe(POLLIN)
  })

  describe('with several watchers', () => {
    it('of the same events resolves all of them', async () => {
      const [r, w] = pipe()
      const watchers = Array.from({ length: 5 }, () => world.system.ready(r, POLLIN))
      world.system.write(w, bytes('x'))
      expect(await Promise.all(watchers)).toEqual(Array(5).fill(POLLIN))
    })

    it('of different events resolves each with its own', async () => {
      const [a, b] = world.system.socketpair(AF_UNIX, SOCK_STREAM | O_NONBLOCK)
      fill(world.system, a, 4096)
      const writable = world.system.ready(a, POLLOUT)
      const readable = world.system.ready(a, POLLIN)
      const either = world.system.ready(a, POLLIN | POLLOUT)
      world.system.write(b, bytes('x'))
      expect(await Promise.all([readable, either])).toEqual([POLLIN, POLLIN])
      expect(await isPending(writable)).toBe(true)
      drain(world.system, b)
      expect(await writable).toBe(POLLOUT)
    })

    it('on copies of one descriptor serves both', async () => {
      const [r, w] = pipe()
      const watchers = [world.system.ready(r, POLLIN), world.system.ready(world.system.dup(r), POLLIN)]
      world.system.write(w, bytes('x'))
      expect(await Promise.all(watchers)).toEqual([POLLIN, POLLIN])
    })
  })

  describe('aborted', () => {
    it('rejects with the reason of the signal, and the next watcher is served', async () => {
      const [r, w] = pipe()
      const controller = new AbortController()
      const aborted = world.system.ready(r, POLLIN, { signal: controller.signal })
      const other = world.system.ready(r, POLLIN)
      const reason = new Error('no longer wanted')
      controller.abort(reason)
      expect(await rejection(aborted)).toBe(reason)
      expect(await isPending(other)).toBe(true)
      world.system.write(w, bytes('x'))
      expect(await other).toBe(POLLIN)
    })

    it('rejects at once when the signal already is, though the descriptor is ready', async () => {
      const [, w] = pipe()
      const reason = new Error('never wanted')
      expect(await rejection(world.system.ready(w, POLLOUT, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    })

    it('afterwards has no effect', async () => {
      const [, w] = pipe()
      const controller = new AbortController()
      expect(await world.system.ready(w, POLLOUT, { signal: controller.signal })).toBe(POLLOUT)
      controller.abort()
      expect(await world.system.ready(w, POLLOUT)).toBe(POLLOUT)
    })
  })

  describe('of a descriptor that goes away', () => {
    it('rejects with EBADF when it is closed', async () => {
      const [r] = pipe()
      const watchers = [world.system.ready(r, POLLIN), world.system.ready(r, POLLIN)]
      world.system.close(r)
      expect(await Promise.all(watchers.map(becomesEbadf))).toEqual([true, true])
    })

    it('rejects with EBADF when dup3 puts another file in its place', async () => {
      const [r] = pipe()
      const [r2, w2] = pipe()
      const watcher = world.system.ready(r, POLLIN)
      world.system.dup3(r2, r)
      expect(await becomesEbadf(watcher)).toBe(true)
      world.system.write(w2, bytes('x'))
      expect(await world.system.ready(r, POLLIN)).toBe(POLLIN)
    })

    it('does not report the former file, which a copy keeps open', async () => {
      const [r, w] = pipe()
      const copy = world.system.dup(r)
      const [r2] = pipe()
      const first = world.system.ready(r, POLLIN)
      world.system.dup3(r2, r)
      const second = world.system.ready(r, POLLIN)
      expect(await becomesEbadf(first)).toBe(true)
      world.system.write(w, bytes('x'))
      expect(await world.system.ready(copy, POLLIN)).toBe(POLLIN)
      expect(await isPending(second)).toBe(true)
      world.system.close(r)
      expect(await becomesEbadf(second)).toBe(true)
    })

    it('can be watched again once the first file is back in its place', async () => {
      const [r, w] = pipe()
      const copy = world.system.dup(r)
      const [r2] = pipe()
      const first = world.system.ready(r, POLLIN)
      world.system.dup3(r2, r)
      expect(await becomesEbadf(first)).toBe(true)
      world.system.dup3(copy, r)
      const again = world.system.ready(r, POLLIN)
      world.system.write(w, bytes('x'))
      expect(await again).toBe(POLLIN)
    })

    it('a dup3 that fails leaves its watchers alone', async () => {
      const [r, w] = pipe()
      const watcher = world.system.ready(r, POLLIN)
      expect(() => world.system.dup3(-1, r)).toThrow('EBADF')
      world.system.write(w, bytes('x'))
      expect(await watcher).toBe(POLLIN)
    })

    it.for([-1, 1_000_000])('%i, which is not open, rejects with EBADF', async fd => {
      expect(await becomesEbadf(world.system.ready(fd, POLLIN))).toBe(true)
    })

    it('is reported under the name of the call', async () => {
      const named = { code: 'EBADF', syscall: 'ready' }
      const [r, w] = pipe()
      expect(await rejection(world.system.ready(-1, POLLIN))).toMatchObject(named)
      const closed = rejection(world.system.ready(r, POLLIN))
      let failure: unknown
      const failed = (reason: unknown) => {
        failure = reason
      }
      world.system.watch(w, POLLERR, { ready() {}, failed })
      world.system.close(w)
      world.system.close(r)
      expect(await closed).toMatchObject(named)
      expect(failure).toMatchObject(named)
      expect(() => world.system.watch(-1, POLLIN, { ready() {}, failed })).toThrow(expect.objectContaining(named))
    })
  })

  it('a closed number that is reused is a new descriptor', async () => {
    for (let round = 0; round < 100; round++) {
      const [r, w] = pipe()
      const watcher = world.system.ready(r, POLLIN)
      world.system.close(r)
      const [r2, w2] = pipe()
      expect(r2).toBe(r)
      const second = world.system.ready(r2, POLLIN)
      expect(await becomesEbadf(watcher)).toBe(true)
      world.system.write(w2, bytes('x'))
      expect(await second).toBe(POLLIN)
      for (const fd of [w, r2, w2]) world.system.close(fd)
    }
  })

  it('thousands of times, one after the other and at once', async () => {
    const [r, w] = pipe()
    for (let i = 0; i < 2000; i++) {
      world.system.write(w, bytes('x'))
      expect(await world.system.ready(r, POLLIN)).toBe(POLLIN)
      world.system.read(r, new Uint8Array(1))
    }
    const pipes = Array.from({ length: 200 }, () => pipe())
    const all = pipes.flatMap(([each]) => Array.from({ length: 20 }, () => world.system.ready(each, POLLIN)))
    for (const [, each] of pipes) world.system.write(each, bytes('x'))
    expect(await Promise.all(all)).toEqual(Array(4000).fill(POLLIN))
  })
})
