import { describe, expect, it } from 'vitest'
import { SimulatedKernel } from '../../../lib/sim/index.ts'
import { bytes, constants, fill, outcome, program, read, text, wait, world } from '../world.ts'

const { O_NONBLOCK, O_DIRECT, O_CLOEXEC, POLLIN, POLLOUT, POLLHUP, POLLERR, EPOLLIN, EPOLLOUT, EPOLLET } = constants
const { F_SETPIPE_SZ, F_GETPIPE_SZ, F_GETFL, F_SETFL, WNOHANG, WUNTRACED } = constants

function nonBlockingPipe(flags = 0) {
  const { host, kernel } = world()
  const [r, w] = host.pipe2(O_NONBLOCK | flags)
  return { host, kernel, r, w }
}

describe('a pipe holds 16 slots of 4096 bytes', () => {
  it.each([
    [1, 65_536, 65_536],
    [3, 21_840, 65_520],
    [100, 640, 64_000],
    [2049, 16, 32_784],
    [4095, 16, 65_520],
    [4097, 11, 45_066],
    [8193, 7, 53_254],
    [65_537, 1, 65_536],
  ])('writes of %i bytes fill it after %i, with %i bytes', (size, writes, total) => {
    const { host, w, r } = nonBlockingPipe()
    const filled = fill(host, w, size)
    // The last write may be cut short where its slot ends.
    expect(filled.writes === writes || filled.writes === writes + 1).toBe(true)
    expect(host.bytesReadable(r)).toBe(filled.total)
    expect(Math.abs(filled.total - total)).toBeLessThanOrEqual(4096)
  })

  it('merges the first n % 4096 bytes of a write into the last slot, if they fit there', () => {
    const { host, r, w } = nonBlockingPipe()
    host.write(w, bytes(4000))
    expect(host.read(r, bytes(3999))).toBe(3999)
    for (let slots = 1; slots < 16; slots++) expect(host.write(w, bytes(4096))).toBe(4096)
    expect(outcome(() => host.write(w, bytes(1)))).toBe('EAGAIN')
  })

  it('never resets a slot’s offset: after 4000 written and 3999 read, 96 bytes merge and 97 do not', () => {
    for (const [size, slots] of [
      [96, 1],
      [97, 2],
    ] as const) {
      const { host, r, w } = nonBlockingPipe()
      host.write(w, bytes(4000))
      host.read(r, bytes(3999))
      host.write(w, bytes(size))
      expect(fill(host, w, 4096).writes).toBe(16 - slots)
    }
  })

  it('is not writable once all slots are used, but the last may take more: 10 bytes yes, 4096 EAGAIN', () => {
    const { host, w } = nonBlockingPipe()
    host.write(w, bytes(15 * 4096))
    host.write(w, bytes(1))
    expect(host.poll([{ fd: w, events: POLLOUT }], 0)).toEqual([0])
    expect(host.write(w, bytes(10))).toBe(10)
    expect(outcome(() => host.write(w, bytes(4096)))).toBe('EAGAIN')
  })

  it('takes the 904 bytes of a write of 5000 that merge', () => {
    const { host, w } = nonBlockingPipe()
    host.write(w, bytes(15 * 4096))
    host.write(w, bytes(1))
    expect(host.write(w, bytes(5000))).toBe(904)
  })
})

describe('packet mode', () => {
  it('cuts a write of 10000 into packets of 4096, 4096 and 1808', () => {
    const { host, r, w } = nonBlockingPipe(O_DIRECT)
    expect(host.write(w, bytes(10_000))).toBe(10_000)
    expect([0, 1, 2].map(() => host.read(r, bytes(65_536)))).toEqual([4096, 4096, 1808])
  })

  it('discards what a short read leaves of a packet', () => {
    const { host, r, w } = nonBlockingPipe(O_DIRECT)
    host.write(w, text('hello'))
    host.write(w, text('world'))
    expect(read(host, r, 2)).toBe('he')
    expect(read(host, r)).toBe('world')
  })

  it('is full after 16 packets of one byte', () => {
    const { host, w } = nonBlockingPipe(O_DIRECT)
    expect(fill(host, w, 1)).toEqual({ writes: 16, total: 16 })
  })

  it('shows in F_GETFL of the write end only', () => {
    const { host, r, w } = nonBlockingPipe(O_DIRECT)
    expect([host.fcntl(r, F_GETFL), host.fcntl(w, F_GETFL)]).toEqual([O_NONBLOCK, O_NONBLOCK | O_DIRECT | 1])
  })

  it('switched on later, still merges a packet into a slot that is none', () => {
    const { host, r, w } = nonBlockingPipe()
    host.write(w, text('a'))
    host.fcntl(w, F_SETFL, O_NONBLOCK | O_DIRECT)
    host.write(w, text('b'))
    expect(read(host, r)).toBe('ab')
  })
})

describe('writers that wait', () => {
  it('are served in their order, in which one that a signal has stopped is the last again', () => {
    const { host, r, w } = nonBlockingPipe()
    host.fcntl(w, F_SETFL, 0)
    const untilOthersWait = () => host.poll([], 1)
    const writer = (size: number) => host.fork(program({ op: 'write', fd: w, data: bytes(size) }))
    const [stopped, other] = [writer(17 * 4096 + 1), writer(16 * 4096 + 1)]
    untilOthersWait()
    host.kill(stopped, 'SIGSTOP')
    host.waitpid(stopped, WUNTRACED)
    host.kill(stopped, 'SIGCONT')
    untilOthersWait()
    // One page for each of them, the other first.
    for (let page = 0; page < 2; page++) {
      host.read(r, bytes(4096))
      untilOthersWait()
    }
    // As many slots more as the other needs.
    host.fcntl(w, F_SETPIPE_SZ, 32 * 4096)
    untilOthersWait()
    expect(wait(host, other, WNOHANG)).toBe(0)
    expect(wait(host, stopped, WNOHANG)).toBeNull()
  })
})

describe('F_SETPIPE_SZ', () => {
  it('rounds up to a power of two pages', () => {
    const { host, w } = nonBlockingPipe()
    expect([0, 1, 4097, 20_000, 1_048_576].map(size => host.fcntl(w, F_SETPIPE_SZ, size))).toEqual([
      4096, 4096, 8192, 32_768, 1_048_576,
    ])
    expect(host.fcntl(w, F_GETPIPE_SZ)).toBe(1_048_576)
  })

  it('refuses more than 1 MiB with EPERM, more than 2 GiB with EINVAL, fewer slots than are used with EBUSY', () => {
    const { host, w } = nonBlockingPipe()
    expect(outcome(() => host.fcntl(w, F_SETPIPE_SZ, 1_048_577))).toBe('EPERM')
    expect(outcome(() => host.fcntl(w, F_SETPIPE_SZ, -1))).toBe('EINVAL')
    host.write(w, bytes(4097))
    expect(outcome(() => host.fcntl(w, F_SETPIPE_SZ, 4096))).toBe('EBUSY')
  })

  it('is EBADF for a descriptor that is no pipe', () => {
    const { host } = world()
    const [socket] = host.socketpair(1, 1)
    expect(outcome(() => host.fcntl(socket, F_GETPIPE_SZ))).toBe('EBADF')
  })

  it('without privilege gives the 1025th pipe of a user 8192 bytes, and lets none grow', () => {
    const { host } = new SimulatedKernel({ privileged: false, limits: { nofile: 10_000 } })
    for (let i = 0; i < 1024; i++) expect(host.fcntl(host.pipe2()[0], F_GETPIPE_SZ)).toBe(65_536)
    const [r] = host.pipe2()
    expect(host.fcntl(r, F_GETPIPE_SZ)).toBe(8192)
    expect(outcome(() => host.fcntl(r, F_SETPIPE_SZ, 16_384))).toBe('EPERM')
  })
})

describe('reading and writing nothing, and the wrong way', () => {
  it('gives 0 for a read or a write of nothing, even when the other end is closed', () => {
    const { host, r, w } = nonBlockingPipe()
    expect([host.read(r, bytes(0)), host.write(w, bytes(0))]).toEqual([0, 0])
    host.close(r)
    expect(host.write(w, bytes(0))).toBe(0)
  })

  it('is EBADF at the wrong end, for nothing too', () => {
    const { host, r, w } = nonBlockingPipe()
    expect([outcome(() => host.write(r, bytes(0))), outcome(() => host.read(w, bytes(0)))]).toEqual(['EBADF', 'EBADF'])
  })

  it('FIONREAD is the same at both ends', () => {
    const { host, r, w } = nonBlockingPipe()
    host.write(w, bytes(5))
    expect([host.bytesReadable(r), host.bytesReadable(w)]).toEqual([5, 5])
  })

  it('is ENOTSOCK for socket calls', () => {
    const { host, r } = nonBlockingPipe()
    expect(outcome(() => host.recv(r, bytes(1)))).toBe('ENOTSOCK')
  })

  it('without a reader fails with EPIPE, which the host survives because it ignores SIGPIPE', () => {
    const { host, r, w } = nonBlockingPipe()
    host.close(r)
    expect(outcome(() => host.write(w, bytes(1)))).toBe('EPIPE')
  })
})

describe('poll', () => {
  const all = 0xffff & ~0x300
  it('of a reader: nothing when empty, IN with data, HUP without a writer, IN|HUP with both', () => {
    const { host, r, w } = nonBlockingPipe()
    const look = () => host.poll([{ fd: r, events: POLLIN | constants.POLLRDHUP }], 0)[0]
    expect(look()).toBe(0)
    host.write(w, bytes(1))
    expect(look()).toBe(POLLIN)
    host.close(w)
    expect(look()).toBe(POLLIN | POLLHUP)
    host.read(r, bytes(1))
    expect(look()).toBe(POLLHUP)
  })

  it('of a writer: OUT, nothing when full, OUT|ERR without a reader, full ERR only', () => {
    const { host, r, w } = nonBlockingPipe()
    const look = () => host.poll([{ fd: w, events: POLLOUT }], 0)[0]
    expect(look()).toBe(POLLOUT)
    const copy = host.dup(w)
    host.write(w, bytes(65_536))
    expect(look()).toBe(0)
    host.close(r)
    expect(look()).toBe(POLLERR)
    expect(host.poll([{ fd: copy, events: all }], 0)[0]).toBe(POLLERR)
  })
})

describe('edge-triggered epoll', () => {
  function watched(end: 'r' | 'w', events: number) {
    const { host, r, w } = nonBlockingPipe()
    const ep = host.epollCreate1()
    host.epollCtl(ep, constants.EPOLL_CTL_ADD, end === 'r' ? r : w, { events: (events | EPOLLET) >>> 0, data: 7 })
    return { host, r, w, edge: () => host.epollWait(ep, 8, 0).map(({ events }) => events)[0] ?? 0 }
  }

  it('at the reader sees every write that is not empty', () => {
    const { host, w, edge } = watched('r', EPOLLIN)
    expect(edge()).toBe(0)
    for (let i = 0; i < 3; i++) {
      host.write(w, bytes(1))
      expect([edge(), edge()]).toEqual([EPOLLIN, 0])
    }
    host.write(w, bytes(0))
    expect(edge()).toBe(0)
  })

  it('at the writer sees a slot come free only when all were used', () => {
    const { host, r, w, edge } = watched('w', EPOLLOUT)
    expect(edge()).toBe(EPOLLOUT)
    host.write(w, bytes(8192))
    host.read(r, bytes(4096))
    expect(edge()).toBe(0)
    fill(host, w, 4096)
    host.read(r, bytes(4095))
    expect(edge()).toBe(0)
    host.read(r, bytes(1))
    expect(edge()).toBe(EPOLLOUT)
  })

  it('sees a close, which cannot be masked', () => {
    const { host, w, edge } = watched('r', 0)
    host.close(w)
    expect(edge()).toBe(POLLHUP)
  })
})

describe('blocked calls', () => {
  it('wake readers one at a time, in the order they came', () => {
    const { kernel, host } = world()
    const [r, w] = host.pipe2()
    const order: number[] = []
    for (const id of [1, 2, 3]) {
      kernel.install(`/reader${id}`, function* (process) {
        yield* process.read(r, new Uint8Array(1))
        order.push(id)
      })
      host.fork({ actions: [{ op: 'execve', files: [`/reader${id}`], argv: [], env: [] }] })
      kernel.settle()
    }
    host.write(w, bytes(1))
    kernel.settle()
    expect(order).toEqual([1])
    host.write(w, bytes(2))
    kernel.settle()
    expect(order).toEqual([1, 2, 3])
  })

  it('let a small write that merges overtake a blocked larger one', () => {
    const { kernel, host } = world()
    const [r, w] = host.pipe2()
    host.write(w, bytes(65_535))
    host.fork({ actions: [{ op: 'write', fd: w, data: bytes(4096, 66) }] })
    kernel.settle()
    expect(host.write(w, bytes(1, 65))).toBe(1)
    expect(read(host, r, 65_536).at(-1)).toBe('A')
  })

  it('give a writer that has written a part its count, and SIGPIPE, when the reader closes', () => {
    const { kernel, host } = world()
    const [r, w] = host.pipe2(O_CLOEXEC)
    const counts: unknown[] = []
    kernel.install('/writer', function* (process) {
      // biome-ignore lint/correctness/useYield: it makes no call
      yield* process.sigaction('SIGPIPE', function* (_, signal) {
        counts.push(signal)
      })
      counts.push(yield* process.write(1, bytes(70_000)))
    })
    host.fork({
      actions: [
        { op: 'dup2', fd: w, target: 1 },
        { op: 'execve', files: ['/writer'], argv: [], env: [] },
      ],
    })
    host.close(w)
    kernel.settle()
    host.close(r)
    kernel.settle()
    expect(counts).toEqual([13, 65_536])
  })
})

describe('pipe2 and F_SETFL', () => {
  it('refuses unknown flags with EINVAL, and a notification pipe with ENOPKG', () => {
    const { host } = world()
    expect(outcome(() => host.pipe2(constants.O_CREAT))).toBe('EINVAL')
    expect(outcome(() => host.pipe2(constants.O_EXCL))).toBe('ENOPKG')
  })

  it('F_GETFL is 0 and 1, and F_SETFL keeps APPEND, NONBLOCK, DIRECT, NOATIME and ASYNC', () => {
    const { host } = world()
    const [r, w] = host.pipe2()
    expect([host.fcntl(r, F_GETFL), host.fcntl(w, F_GETFL)]).toEqual([0, 1])
    host.fcntl(w, F_SETFL, 0xffffff)
    const { O_APPEND, O_NOATIME, O_ASYNC } = constants
    expect(host.fcntl(w, F_GETFL)).toBe(1 | O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | O_ASYNC)
  })
})
