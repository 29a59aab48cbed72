import { describe, expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { bytes, drain, fill, heldChild } from './helpers.ts'
import { describeContract } from './suite.ts'

const { AF_UNIX, MSG_OOB, O_NONBLOCK, POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI, POLLRDHUP } = constants
const { POLLRDNORM, POLLWRNORM, SOCK_NONBLOCK, SOCK_STREAM } = constants

const everything = POLLIN | POLLPRI | POLLOUT | POLLRDHUP | POLLRDNORM | POLLWRNORM

describeContract('poll', world => {
  const state = (fd: number, events = POLLIN | POLLOUT | POLLRDHUP) => world.system.poll([{ fd, events }], 0)[0]

  describe('of the reading end of a pipe', () => {
    it('shows data, hang-up, and both', () => {
      const [r, w] = world.system.pipe2(O_NONBLOCK)
      expect(state(r)).toBe(0)
      world.system.write(w, bytes('x'))
      expect(state(r)).toBe(POLLIN)
      world.system.close(w)
      expect(state(r)).toBe(POLLIN | POLLHUP)
      drain(world.system, r)
      expect(state(r)).toBe(POLLHUP)
    })

    it('reports a hang-up that was not asked for', () => {
      const [r, w] = world.system.pipe2()
      world.system.close(w)
      expect(state(r, 0)).toBe(POLLHUP)
    })
  })

  describe('of the writing end of a pipe', () => {
    it('shows room, and an error once the reader has gone', () => {
      const [r, w] = world.system.pipe2(O_NONBLOCK)
      expect(state(w)).toBe(POLLOUT)
      world.system.close(r)
      expect(state(w)).toBe(POLLOUT | POLLERR)
      expect(state(w, 0)).toBe(POLLERR)
    })

    it('shows nothing when full, and only the error when the reader has gone then', () => {
      const [r, w] = world.system.pipe2(O_NONBLOCK)
      fill(world.system, w, 4096)
      expect(state(w)).toBe(0)
      world.system.close(r)
      expect(state(w)).toBe(POLLERR)
    })
  })

  it('of a socket shows data, urgent data and room', () => {
    const [a, b] = world.system.socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK)
    expect(state(b)).toBe(POLLOUT)
    world.system.write(a, bytes('x'))
    expect(state(b, everything)).toBe(POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)
    fill(world.system, b, 4096)
    expect(state(b)).toBe(POLLIN)
    drain(world.system, b)
    expect(state(b)).toBe(0)
  })

  it('of a socket shows urgent data as POLLPRI', context => {
    const [a, b] = world.system.socketpair(AF_UNIX, SOCK_STREAM)
    try {
      world.system.send(a, bytes('!'), MSG_OOB)
    } catch {
      context.skip('this kernel has no urgent data on local sockets')
    }
    expect(state(b, POLLPRI)).toBe(POLLPRI)
    expect(world.system.recv(b, new Uint8Array(1), MSG_OOB)).toBe(1)
    expect(state(b, POLLPRI)).toBe(0)
  })

  it('answers for each request, in order, also for one descriptor named twice', () => {
    const [r, w] = world.system.pipe2()
    const requests = [
      { fd: w, events: POLLOUT },
      { fd: r, events: POLLIN },
      { fd: w, events: POLLIN },
      { fd: w, events: POLLOUT },
    ]
    expect(world.system.poll(requests, 0)).toEqual([POLLOUT, 0, 0, POLLOUT])
  })

  it('ignores negative descriptors and reports POLLNVAL for closed ones', () => {
    const [r, w] = world.system.pipe2()
    world.system.close(r)
    const requests = [-1, r, w, 1_000_000].map(fd => ({ fd, events: POLLOUT }))
    expect(world.system.poll(requests, -1)).toEqual([0, POLLNVAL, POLLOUT | POLLERR, POLLNVAL])
  })

  it('of nothing waits its time and gives nothing', () => {
    expect(world.system.poll([], 0)).toEqual([])
    const before = world.system.now()
    expect(world.system.poll([], 20)).toEqual([])
    expect(world.system.now() - before).toBeGreaterThanOrEqual(19)
  })

  it('waits its time when nothing happens', () => {
    const [r] = world.system.pipe2()
    const before = world.system.now()
    expect(world.system.poll([{ fd: r, events: POLLIN }], 20)).toEqual([0])
    expect(world.system.now() - before).toBeGreaterThanOrEqual(19)
  })

  it('without end waits until something happens', () => {
    const [r, w] = world.system.pipe2()
    const child = heldChild(world.system, { after: [{ op: 'write', fd: w, data: bytes('x') }] })
    child.release()
    expect(world.system.poll([{ fd: r, events: POLLIN }], -1)).toEqual([POLLIN])
    expect(world.system.waitpid(child.pid)?.raw).toBe(0)
  })

  it('takes its events as a mask, signed or not', () => {
    const [, w] = world.system.pipe2()
    expect(world.system.poll([{ fd: w, events: -1 }], 0)[0]! & POLLOUT).toBe(POLLOUT)
    expect(world.system.poll([{ fd: w, events: 0xffffffff }], 0)[0]! & POLLOUT).toBe(POLLOUT)
  })
})
