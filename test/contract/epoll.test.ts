import { beforeEach, describe, expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { bytes, drain, failure, fill } from './helpers.ts'
import { describeContract } from './suite.ts'

const { EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, EPOLLERR, EPOLLET, EPOLLEXCLUSIVE } = constants
const { EPOLLHUP, EPOLLIN, EPOLLONESHOT, EPOLLOUT, F_GETFD, FD_CLOEXEC, O_NONBLOCK, O_RDWR } = constants

describeContract('epoll', world => {
  let epoll = -1
  beforeEach(() => {
    epoll = world.system.epollCreate1()
  })
  const add = (fd: number, events: number, data = fd) =>
    world.system.epollCtl(epoll, EPOLL_CTL_ADD, fd, { events, data })
  const modify = (fd: number, events: number, data = fd) =>
    world.system.epollCtl(epoll, EPOLL_CTL_MOD, fd, { events, data })
  const wait = (most = 16) => world.system.epollWait(epoll, most, 0)
  const pipe = () => world.system.pipe2(O_NONBLOCK)

  describe('itself', () => {
    it('is a descriptor, close-on-exec when asked to', () => {
      expect(world.system.fcntl(epoll, F_GETFD)).toBe(0)
      expect(world.system.fcntl(epoll, constants.F_GETFL)).toBe(O_RDWR)
      expect(world.system.fcntl(world.system.epollCreate1(EPOLL_CLOEXEC), F_GETFD)).toBe(FD_CLOEXEC)
    })

    it('has no other flag: EINVAL', () => {
      expect(failure(() => world.system.epollCreate1(1))).toBe('EINVAL')
      expect(failure(() => world.system.epollCreate1(-1))).toBe('EINVAL')
    })

    it('is neither read nor written: EINVAL', () => {
      expect(failure(() => world.system.read(epoll, new Uint8Array(1)))).toBe('EINVAL')
      expect(failure(() => world.system.write(epoll, bytes('x')))).toBe('EINVAL')
    })
  })

  describe('registering', () => {
    it('twice is EEXIST, a copy of the descriptor is another registration', () => {
      const [r, w] = pipe()
      add(r, EPOLLIN, 1)
      expect(failure(() => add(r, EPOLLIN))).toBe('EEXIST')
      add(world.system.dup(r), EPOLLIN, 2)
      world.system.write(w, bytes('x'))
      const seen = wait().map(event => event.data)
      expect(seen.sort()).toEqual([1, 2])
    })

    it('changing or removing a descriptor that is not registered is ENOENT', () => {
      const [r] = pipe()
      expect(failure(() => modify(r, EPOLLIN))).toBe('ENOENT')
      expect(failure(() => world.system.epollCtl(epoll, EPOLL_CTL_DEL, r))).toBe('ENOENT')
    })

    it.for([EPOLL_CTL_ADD, EPOLL_CTL_MOD])('without an event is EFAULT: operation %i', op => {
      const [r] = pipe()
      expect(failure(() => world.system.epollCtl(epoll, op, r))).toBe('EFAULT')
    })

    it('what cannot be is refused: itself, a pipe as epoll, an unknown operation, what is not open', () => {
      const [r, w] = pipe()
      const event = { events: EPOLLIN, data: 0 }
      expect(failure(() => add(epoll, EPOLLIN))).toBe('EINVAL')
      expect(failure(() => world.system.epollCtl(r, EPOLL_CTL_ADD, w, event))).toBe('EINVAL')
      expect(failure(() => world.system.epollCtl(epoll, 99, r, event))).toBe('EINVAL')
      expect(failure(() => world.system.epollCtl(epoll, -1, r, event))).toBe('EINVAL')
      expect(failure(() => add(-1, EPOLLIN))).toBe('EBADF')
      expect(failure(() => world.system.epollWait(r, 1, 0))).toBe('EINVAL')
    })

    it('closing a descriptor removes it, unless a copy keeps the file open', () => {
      const [r, w] = pipe()
      const copy = world.system.dup(r)
      add(r, EPOLLIN, 7)
      world.system.write(w, bytes('x'))
      world.system.close(r)
      expect(wait()).toEqual([{ events: EPOLLIN, data: 7 }])
      world.system.close(copy)
      expect(wait()).toEqual([])
    })

    it.for([0, 1, -1, -7, 2 ** 31, 2 ** 32, 2 ** 53 - 1, -(2 ** 53 - 1)])('gives back the data: %i', data => {
      const [, w] = pipe()
      add(w, EPOLLOUT, data)
      expect(wait()).toEqual([{ events: EPOLLOUT, data }])
    })
  })

  describe('waiting', () => {
    it.for([0, -1, 2 ** 31 - 1])('for %i events is EINVAL', most => {
      expect(failure(() => wait(most))).toBe('EINVAL')
    })

    it('for very many returns those that are ready', () => {
      const [, w] = pipe()
      add(w, EPOLLOUT)
      expect(wait(100_000_000)).toEqual([{ events: EPOLLOUT, data: w }])
    })

    it('returns at most as many as asked for, and the others next time', () => {
      const writers = [pipe(), pipe(), pipe()].map(([, w]) => w)
      for (const w of writers) add(w, EPOLLOUT)
      const seen = [wait(1), wait(1), wait(1)].flat().map(event => event.data)
      expect(seen).toEqual(writers)
      expect(wait(2).length).toBe(2)
    })

    it('ends with its time when nothing happens', () => {
      const before = world.system.now()
      expect(world.system.epollWait(epoll, 1, 20)).toEqual([])
      expect(world.system.now() - before).toBeGreaterThanOrEqual(19)
    })
  })

  describe('level-triggered', () => {
    it('tells of data as long as there is some', () => {
      const [r, w] = pipe()
      add(r, EPOLLIN)
      expect(wait()).toEqual([])
      world.system.write(w, bytes('xy'))
      for (let i = 0; i < 3; i++) expect(wait()).toEqual([{ events: EPOLLIN, data: r }])
      drain(world.system, r)
      expect(wait()).toEqual([])
    })

    it('reports a hang-up and an error that were not asked for', () => {
      const [r, w] = pipe()
      const [r2, w2] = pipe()
      add(r, 0)
      add(w2, 0)
      world.system.close(w)
      expect(wait()).toEqual([{ events: EPOLLHUP, data: r }])
      world.system.close(r2)
      expect(wait()).toContainEqual({ events: EPOLLERR, data: w2 })
    })

    it('takes a change of mask and data at once', () => {
      const [r, w] = pipe()
      add(w, EPOLLIN, 1)
      expect(wait()).toEqual([])
      modify(w, EPOLLOUT, 2)
      expect(wait()).toEqual([{ events: EPOLLOUT, data: 2 }])
      fill(world.system, w, 4096)
      expect(wait()).toEqual([])
      drain(world.system, r)
      expect(wait()).toEqual([{ events: EPOLLOUT, data: 2 }])
    })
  })

  describe('edge-triggered', () => {
    it('tells of each arrival once', () => {
      const [r, w] = pipe()
      add(r, EPOLLIN | EPOLLET)
      world.system.write(w, bytes('x'))
      expect(wait()).toEqual([{ events: EPOLLIN, data: r }])
      expect(wait()).toEqual([])
      world.system.write(w, bytes('y'))
      expect(wait()).toEqual([{ events: EPOLLIN, data: r }])
      world.system.read(r, new Uint8Array(1))
      expect(wait()).toEqual([])
    })

    it('is armed by its mask signed or not', () => {
      expect(EPOLLIN | EPOLLET).toBeLessThan(0)
      const [r, w] = pipe()
      add(r, (EPOLLIN | EPOLLET) >>> 0)
      world.system.write(w, bytes('x'))
      expect([wait(), wait()]).toEqual([[{ events: EPOLLIN, data: r }], []])
    })

    it('tells a writer of room when the pipe had been full', () => {
      const [r, w] = pipe()
      add(w, EPOLLOUT | EPOLLET)
      expect(wait().length).toBe(1)
      world.system.write(w, bytes('x'))
      drain(world.system, r)
      expect(wait()).toEqual([])
      fill(world.system, w, 4096)
      world.system.read(r, new Uint8Array(100))
      expect(wait()).toEqual([])
      drain(world.system, r)
      expect(wait()).toEqual([{ events: EPOLLOUT, data: w }])
    })

    it('is reported again after a change of the registration', () => {
      const [r, w] = pipe()
      add(r, EPOLLIN | EPOLLET)
      world.system.write(w, bytes('x'))
      wait()
      modify(r, EPOLLIN | EPOLLET)
      expect(wait()).toEqual([{ events: EPOLLIN, data: r }])
    })

    it('tells of the end', () => {
      const [r, w] = pipe()
      add(r, EPOLLIN | EPOLLET)
      world.system.close(w)
      expect(wait()).toEqual([{ events: EPOLLHUP, data: r }])
      expect(wait()).toEqual([])
    })
  })

  describe('one-shot', () => {
    it('tells once, is then silent even of a hang-up, until armed again', () => {
      const [r, w] = pipe()
      add(r, EPOLLIN | EPOLLONESHOT)
      world.system.write(w, bytes('x'))
      expect(wait()).toEqual([{ events: EPOLLIN, data: r }])
      world.system.close(w)
      expect(wait()).toEqual([])
      modify(r, EPOLLIN | EPOLLONESHOT)
      expect(wait()).toEqual([{ events: EPOLLIN | EPOLLHUP, data: r }])
    })
  })

  describe('exclusive', () => {
    it('works, and is refused where Linux refuses it', () => {
      const [r, w] = pipe()
      expect(failure(() => add(r, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT))).toBe('EINVAL')
      add(r, EPOLLIN | EPOLLEXCLUSIVE)
      world.system.write(w, bytes('x'))
      expect(wait()).toEqual([{ events: EPOLLIN, data: r }])
      expect(failure(() => modify(r, EPOLLIN))).toBe('EINVAL')
      const [r2] = pipe()
      add(r2, EPOLLIN)
      expect(failure(() => modify(r2, EPOLLIN | EPOLLEXCLUSIVE))).toBe('EINVAL')
    })
  })

  describe('nested', () => {
    it('an epoll with an event is readable', () => {
      const outer = world.system.epollCreate1()
      const [r, w] = pipe()
      add(r, EPOLLIN)
      world.system.epollCtl(outer, EPOLL_CTL_ADD, epoll, { events: EPOLLIN, data: 5 })
      expect(world.system.epollWait(outer, 1, 0)).toEqual([])
      world.system.write(w, bytes('x'))
      expect(world.system.epollWait(outer, 1, 0)).toEqual([{ events: EPOLLIN, data: 5 }])
      expect(world.system.poll([{ fd: outer, events: constants.POLLIN }], 0)).toEqual([constants.POLLIN])
      drain(world.system, r)
      expect(world.system.epollWait(outer, 1, 0)).toEqual([])
    })

    it('in a circle is ELOOP', () => {
      const outer = world.system.epollCreate1()
      world.system.epollCtl(outer, EPOLL_CTL_ADD, epoll, { events: EPOLLIN, data: 0 })
      expect(failure(() => add(outer, EPOLLIN))).toBe('ELOOP')
    })

    it('too deeply is ELOOP', () => {
      const chain = [epoll]
      for (let depth = 1; depth <= 8; depth++) chain.push(world.system.epollCreate1())
      const outcomes = chain.slice(1).map((outer, i) => {
        try {
          world.system.epollCtl(outer, EPOLL_CTL_ADD, chain[i]!, { events: EPOLLIN, data: 0 })
          return 'ok'
        } catch (error) {
          return (error as { code: string }).code
        }
      })
      expect(outcomes).toContain('ok')
      expect(outcomes).toContain('ELOOP')
    })
  })

  it('its descriptors may be copied: both see the registrations', () => {
    const [, w] = pipe()
    const copy = world.system.dup(epoll)
    add(w, EPOLLOUT)
    world.system.close(epoll)
    expect(world.system.epollWait(copy, 1, 0)).toEqual([{ events: EPOLLOUT, data: w }])
  })
})
