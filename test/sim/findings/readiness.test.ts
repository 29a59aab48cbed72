import { describe, expect, it } from 'vitest'
import type { Calling, SimulatedProcess } from '../../../lib/sim/index.ts'
import { bytes, constants } from '../world.ts'
import { racing, racingProgram, together } from './run.ts'

const { EPOLLIN, EPOLLOUT, EPOLLET, EPOLL_CTL_ADD, EPOLL_CTL_MOD, POLLIN, POLLHUP, POLLERR, F_SETPIPE_SZ } = constants

function* epollOn(self: SimulatedProcess, ...fds: (readonly [fd: number, events: number])[]): Calling<number> {
  const epfd = yield* self.epollCreate1()
  for (const [fd, events] of fds) yield* self.epollCtl(epfd, EPOLL_CTL_ADD, fd, { events, data: fd })
  return epfd
}

describe.each([
  ['level-triggered', EPOLLIN],
  ['edge-triggered', EPOLLIN | EPOLLET],
])('%s epoll_wait', (_, events) => {
  it.each([
    ['before', 'none'],
    ['after', 'all'],
  ] as const)('acquires what came before the write it reports: a store %s it, %s race', async (when, races) => {
    const found = await racingProgram(function* (self, cell) {
      const [r, w] = yield* self.pipe2()
      const epfd = yield* epollOn(self, [r, events])
      yield* together(
        self,
        function* (child) {
          if (when === 'before') yield* child.store(cell, 1)
          yield* child.write(w, bytes(1))
          if (when === 'after') yield* child.store(cell, 1)
        },
        function* (child) {
          yield* child.epollWait(epfd, 8, -1)
          yield* child.load(cell)
        },
      )
    })
    expect(found).toBe(races)
  })

  it('acquires only what it returned: of two that are ready, the one that did not fit stays unknown', async () => {
    const find = (most: number) =>
      racingProgram(function* (self, cell) {
        const [r1, w1] = yield* self.pipe2()
        const [r2, w2] = yield* self.pipe2()
        const [done, ready] = yield* self.pipe2()
        const epfd = yield* epollOn(self, [r1, events], [r2, events])
        yield* together(
          self,
          function* (child) {
            yield* child.write(w1, bytes(1))
            yield* child.write(ready, bytes(1))
          },
          function* (child) {
            yield* child.read(done, bytes(1))
            yield* child.store(cell, 1)
            yield* child.write(w2, bytes(1))
          },
          function* (child) {
            // Both files are ready by then, and nothing has been acquired yet.
            yield* child.sleep(1)
            yield* child.epollWait(epfd, most, -1)
            yield* child.load(cell)
          },
        )
      })
    expect(await find(1)).toBe('all')
    expect(await find(2)).toBe('none')
  })

  it('acquires end of file as the hang-up it reports', async () => {
    const found = await racingProgram(function* (self, cell) {
      const [r, w] = yield* self.pipe2()
      const epfd = yield* epollOn(self, [r, events])
      yield* self.fork(function* (child) {
        yield* child.store(cell, 1)
        yield* child.close(w)
      })
      yield* self.close(w)
      yield* self.epollWait(epfd, 8, -1)
      yield* self.load(cell)
      yield* self.waitpid(-1)
    })
    expect(found).toBe('none')
  })

  it('acquires the registration of the event it reports', async () => {
    for (const operation of [EPOLL_CTL_ADD, EPOLL_CTL_MOD]) {
      const found = await racingProgram(function* (self, cell) {
        const [r, w] = yield* self.pipe2()
        yield* self.write(w, bytes(1))
        const epfd = yield* self.epollCreate1()
        if (operation === EPOLL_CTL_MOD) yield* self.epollCtl(epfd, EPOLL_CTL_ADD, r, { events: EPOLLOUT, data: 0 })
        yield* together(
          self,
          function* (child) {
            yield* child.store(cell, 1)
            yield* child.epollCtl(epfd, operation, r, { events, data: 0 })
          },
          function* (child) {
            yield* child.epollWait(epfd, 8, -1)
            yield* child.load(cell)
          },
        )
      })
      expect(found).toBe('none')
    }
  })

  it('sees through an epoll that watches another', async () => {
    const find = (when: 'before' | 'after') =>
      racingProgram(function* (self, cell) {
        const [r, w] = yield* self.pipe2()
        const inner = yield* epollOn(self, [r, EPOLLIN])
        const outer = yield* epollOn(self, [inner, events])
        yield* together(
          self,
          function* (child) {
            if (when === 'before') yield* child.store(cell, 1)
            yield* child.write(w, bytes(1))
            if (when === 'after') yield* child.store(cell, 1)
          },
          function* (child) {
            yield* child.epollWait(outer, 8, -1)
            yield* child.load(cell)
          },
        )
      })
    expect(await find('before')).toBe('none')
    expect(await find('after')).toBe('all')
  })
})

describe('a second write to a pipe that was readable before', () => {
  const find = (events: number) =>
    racingProgram(function* (self, cell) {
      const [r, w] = yield* self.pipe2()
      const epfd = yield* epollOn(self, [r, events])
      yield* self.write(w, bytes(1))
      yield* self.epollWait(epfd, 8, -1)
      yield* together(
        self,
        function* (child) {
          yield* child.store(cell, 1)
          yield* child.write(w, bytes(1))
        },
        function* (child) {
          yield* child.epollWait(epfd, 8, -1)
          yield* child.load(cell)
        },
      )
    })

  it('is acquired by an edge-triggered report', async () => {
    expect(await find(EPOLLIN | EPOLLET)).toBe('none')
  })

  it('is not acquired by a level-triggered report', async () => {
    expect(await find(EPOLLIN)).toBe('all')
  })
})

describe('poll', () => {
  it('acquires only what made the reported files ready', async () => {
    const find = (which: 0 | 1) =>
      racingProgram(function* (self, cell) {
        const [r1, w1] = yield* self.pipe2()
        const [r2, w2] = yield* self.pipe2()
        yield* self.write(w1, bytes(1))
        yield* together(
          self,
          function* (child) {
            yield* child.store(cell, 1)
            yield* child.write(w2, bytes(1))
          },
          function* (child) {
            yield* child.sleep(1)
            // Both files are ready; a poll of one acquires one.
            yield* child.poll([{ fd: [r1, r2][which]!, events: POLLIN }], -1)
            yield* child.load(cell)
          },
        )
      })
    expect(await find(0)).toBe('all')
    expect(await find(1)).toBe('none')
  })

  it('acquires nothing when its time is over', async () => {
    const found = await racingProgram(function* (self, cell) {
      const [r, w] = yield* self.pipe2()
      yield* self.fcntl(w, F_SETPIPE_SZ, 4096)
      yield* together(
        self,
        function* (child) {
          yield* child.store(cell, 1)
          yield* child.write(w, bytes(1))
        },
        function* (child) {
          // Not what the write is an event of.
          yield* child.poll([{ fd: r, events: POLLERR }], 5)
          yield* child.load(cell)
        },
      )
    })
    expect(found).toBe('all')
  })

  it.each([
    ['POLLHUP of the read end', 0, POLLHUP],
    ['POLLERR of the write end', 1, POLLERR],
  ] as const)('acquires the close of the other end: %s', async (_, kept, expected) => {
    const found = await racingProgram(function* (self, cell) {
      const ends = yield* self.pipe2()
      const closed = ends[1 - kept]!
      yield* self.fork(function* (child) {
        yield* child.store(cell, 1)
        yield* child.close(closed)
      })
      yield* self.close(closed)
      const [revents] = yield* self.poll([{ fd: ends[kept], events: 0 }], -1)
      if (revents !== expected) throw new Error(`revents ${revents}`)
      yield* self.load(cell)
      yield* self.waitpid(-1)
    })
    expect(found).toBe('none')
  })
})

describe('what the host awaits', () => {
  it('readiness: acquires what made it ready, and no more', async () => {
    for (const [storeFirst, races] of [
      [true, 'none'],
      [false, 'all'],
    ] as const) {
      const found = await racing(async ({ kernel, host }) => {
        const cell = kernel.cell(0)
        kernel.install('/writer', function* (self) {
          if (storeFirst) yield* self.store(cell, 1)
          yield* self.write(1, bytes(1))
          if (!storeFirst) yield* self.store(cell, 1)
        })
        const [r, w] = host.pipe2()
        const pid = host.fork({
          actions: [
            { op: 'dup2', fd: w, target: 1 },
            { op: 'execve', files: ['/writer'], argv: ['writer'], env: [] },
          ],
        })
        await host.ready(r, POLLIN)
        const loaded = cell.value
        expect([0, 1]).toContain(loaded)
        host.waitpid(pid)
      })
      expect(found).toBe(races)
    }
  })
})
