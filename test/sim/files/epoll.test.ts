import { describe, expect, it } from 'vitest'
import { bytes, constants, exec, outcome, program, world } from '../world.ts'

const { EPOLLIN, EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, O_NONBLOCK } =
  constants

function watched(events: number, pipes = 1) {
  const { host, kernel } = world()
  const ep = host.epollCreate1()
  const ends = Array.from({ length: pipes }, () => host.pipe2(O_NONBLOCK))
  ends.forEach(([r], data) => {
    host.epollCtl(ep, EPOLL_CTL_ADD, r, { events: events >>> 0, data })
  })
  return { host, kernel, ep, ends, found: (most = 10) => host.epollWait(ep, most, 0).map(({ data }) => data) }
}

describe('the ready list', () => {
  it('is served in order, level-triggered items going back to its end', () => {
    const { host, ends, found } = watched(EPOLLIN, 3)
    for (const i of [2, 0, 1]) host.write(ends[i]![1], bytes(1))
    expect([found(2), found(2), found(2)]).toEqual([
      [2, 0],
      [1, 2],
      [0, 1],
    ])
  })

  it('gives an item with EPOLLONESHOT once, until EPOLL_CTL_MOD', () => {
    const { host, ep, ends, found } = watched(EPOLLIN | EPOLLONESHOT)
    host.write(ends[0]![1], bytes(1))
    expect([found(), found()]).toEqual([[0], []])
    host.close(ends[0]![1])
    expect(found()).toEqual([])
    host.epollCtl(ep, EPOLL_CTL_MOD, ends[0]![0], { events: EPOLLIN, data: 5 })
    expect(found()).toEqual([5])
  })

  it('forgets an item that is removed, or whose last descriptor is closed', () => {
    const { host, ep, ends, found } = watched(EPOLLIN, 2)
    for (const [, w] of ends) host.write(w, bytes(1))
    host.epollCtl(ep, EPOLL_CTL_DEL, ends[0]![0])
    expect(found()).toEqual([1])
    const copy = host.dup(ends[1]![0])
    host.close(ends[1]![0])
    expect(found()).toEqual([1])
    host.close(copy)
    expect(found()).toEqual([])
  })

  it('drops an item that is found no longer ready', () => {
    const { host, ends, found } = watched(EPOLLIN | EPOLLET)
    host.write(ends[0]![1], bytes(1))
    host.read(ends[0]![0], bytes(1))
    expect(found()).toEqual([])
  })
})

describe('waiting', () => {
  it('wakes the last waiter first: one for an edge, all for a level', () => {
    for (const [events, woken] of [
      [EPOLLIN | EPOLLET, [3]],
      [EPOLLIN, [3, 2, 1]],
    ] as const) {
      const { host, kernel, ep, ends } = watched(events)
      const order: number[] = []
      for (const id of [1, 2, 3]) {
        kernel.install(`/waiter${id}`, function* (process) {
          if ((yield* process.epollWait(ep, 1, -1)).length === 1) order.push(id)
        })
        host.fork(program(exec(`/waiter${id}`)))
        kernel.settle()
      }
      host.write(ends[0]![1], bytes(1))
      kernel.settle()
      expect(order).toEqual(woken)
    }
  })

  it('ends at its timeout, by the world’s clock', () => {
    const { host, ep } = watched(EPOLLIN)
    expect(host.epollWait(ep, 1, 250)).toEqual([])
    expect(host.now()).toBe(250)
  })

  it('wakes when a newly registered file is ready', () => {
    const { host, kernel } = world()
    const ep = host.epollCreate1()
    const [, w] = host.pipe2()
    kernel.install('/adds', function* (process) {
      yield* process.epollCtl(ep, EPOLL_CTL_ADD, w, { events: constants.EPOLLOUT, data: 9 })
    })
    host.fork(program(exec('/adds')))
    expect(host.epollWait(ep, 1, -1)).toEqual([{ events: constants.EPOLLOUT, data: 9 }])
  })

  it('with EPOLLEXCLUSIVE wakes one of several epolls', () => {
    const { host } = world()
    const [r, w] = host.pipe2(O_NONBLOCK)
    const eps = [1, 2].map(() => host.epollCreate1())
    for (const ep of eps) {
      host.epollCtl(ep, EPOLL_CTL_ADD, r, { events: (EPOLLIN | EPOLLET | EPOLLEXCLUSIVE) >>> 0, data: 0 })
    }
    host.write(w, bytes(1))
    // Without a blocked epoll_wait the exclusive wake-up is not taken, so both epolls get the event.
    expect(eps.map(ep => host.epollWait(ep, 1, 0).length)).toEqual([1, 1])
    expect(outcome(() => host.epollCtl(eps[0]!, EPOLL_CTL_MOD, r, { events: EPOLLIN, data: 0 }))).toBe('EINVAL')
  })
})

describe('epolls in epolls', () => {
  it('are readable when something in them is', () => {
    const { host, ep, ends } = watched(EPOLLIN)
    const outer = host.epollCreate1()
    host.epollCtl(outer, EPOLL_CTL_ADD, ep, { events: EPOLLIN, data: 1 })
    expect(host.epollWait(outer, 1, 0)).toEqual([])
    host.write(ends[0]![1], bytes(1))
    expect(host.epollWait(outer, 1, 0)).toEqual([{ events: EPOLLIN, data: 1 }])
    expect(host.poll([{ fd: ep, events: constants.POLLIN }], 0)).toEqual([constants.POLLIN])
  })

  it('may form no loop, and nest five deep at most: ELOOP', () => {
    const { host } = world()
    const eps = Array.from({ length: 6 }, () => host.epollCreate1())
    const add = (outer: number, inner: number) =>
      outcome(() => host.epollCtl(outer, EPOLL_CTL_ADD, inner, { events: EPOLLIN, data: 0 }))
    expect(eps.slice(1).map((outer, i) => add(outer, eps[i]!))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      'ELOOP',
    ])
    expect([add(eps[0]!, eps[1]!), add(eps[0]!, eps[0]!)]).toEqual(['ELOOP', 'EINVAL'])
  })
})

describe('errors', () => {
  it('are those of Linux', () => {
    const { host, ep, ends } = watched(EPOLLIN)
    const [r] = ends[0]!
    const event = { events: EPOLLIN, data: 0 }
    const attempts = [
      () => host.epollCtl(ep, EPOLL_CTL_ADD, r, event),
      () => host.epollCtl(ep, EPOLL_CTL_MOD, ends[0]![1], event),
      () => host.epollCtl(ep, EPOLL_CTL_DEL, ends[0]![1]),
      () => host.epollCtl(ep, EPOLL_CTL_ADD, r),
      () => host.epollCtl(ep, 9, r, event),
      () => host.epollCtl(r, EPOLL_CTL_ADD, ep, event),
      () => host.epollCtl(ep, EPOLL_CTL_ADD, 0, event),
      () => host.epollCtl(ep, EPOLL_CTL_ADD, 99, event),
      () => host.epollWait(ep, 0, 0),
      () => host.epollWait(r, 1, 0),
      () => host.read(ep, bytes(1)),
      () => host.bytesReadable(ep),
    ]
    expect(attempts.map(attempt => outcome<unknown>(attempt))).toEqual([
      'EEXIST',
      'ENOENT',
      'ENOENT',
      'EFAULT',
      'EINVAL',
      'EINVAL',
      'EPERM',
      'EBADF',
      'EINVAL',
      'EINVAL',
      'EINVAL',
      'EINVAL',
    ])
  })
})
