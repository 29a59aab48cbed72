import { describe, expect, it } from 'vitest'
import { bytes, constants } from '../world.ts'
import { racingProgram, together } from './run.ts'

const { O_NONBLOCK, F_SETPIPE_SZ, POLLOUT, POLLIN } = constants

describe('a write', () => {
  it.each([
    ['at once', 1],
    ['while it waits for room', 100_000],
  ])('that fails with EPIPE %s comes after the close of the last reader', async (_, count) => {
    const found = await racingProgram(function* (self, cell) {
      const [r, w] = yield* self.pipe2()
      yield* self.sigaction('SIGPIPE', 'ignore')
      const reader = yield* self.fork(function* (child) {
        yield* child.store(cell, 1)
        // When time passes, the writer waits or has written all.
        yield* child.sleep(1)
        yield* child.close(r)
      })
      yield* self.close(r)
      for (let writes = true; writes; ) {
        try {
          // A write that waited and is cut short was ended by the close.
          writes = (yield* self.write(w, bytes(count))) === count
          yield* self.sleep(1)
        } catch {
          writes = false
        }
      }
      yield* self.load(cell)
      yield* self.waitpid(reader)
    })
    expect(found).toBe('none')
  })

  it.each([
    ['waited for', 4097, 'none'],
    ['was there', 1, 'all'],
  ] as const)('acquires from the reader the room it %s', async (_, count, races) => {
    const found = await racingProgram(function* (self, cell) {
      const [r, w] = yield* self.pipe2()
      yield* self.fcntl(w, F_SETPIPE_SZ, 8192)
      yield* self.write(w, bytes(4096))
      yield* together(
        self,
        function* (child) {
          yield* child.store(cell, 1)
          yield* child.read(r, bytes(4096))
        },
        function* (child) {
          yield* child.write(w, bytes(count))
          yield* child.load(cell)
        },
      )
    })
    expect(found).toBe(races)
  })

  it('acquires the room it polled for, or kept trying to get', async () => {
    for (const polls of [true, false]) {
      const found = await racingProgram(function* (self, cell) {
        const [r, w] = yield* self.pipe2(O_NONBLOCK)
        yield* self.fcntl(w, F_SETPIPE_SZ, 4096)
        yield* self.write(w, bytes(4096))
        yield* together(
          self,
          function* (child) {
            yield* child.store(cell, 1)
            yield* child.read(r, bytes(4096))
          },
          function* (child) {
            if (polls) yield* child.poll([{ fd: w, events: POLLOUT }], -1)
            while (!polls) {
              try {
                yield* child.write(w, bytes(1))
                break
              } catch {
                // Full.
              }
            }
            yield* child.load(cell)
          },
        )
      })
      expect(found, polls ? 'polled' : 'tried').toBe('none')
    }
  })

  it('acquires the call that made the pipe larger', async () => {
    const found = await racingProgram(function* (self, cell) {
      const [r, w] = yield* self.pipe2()
      yield* self.fcntl(w, F_SETPIPE_SZ, 4096)
      yield* self.write(w, bytes(4096))
      yield* together(
        self,
        function* (child) {
          yield* child.store(cell, 1)
          yield* child.fcntl(r, F_SETPIPE_SZ, 8192)
        },
        function* (child) {
          yield* child.write(w, bytes(1))
          yield* child.load(cell)
        },
      )
    })
    expect(found).toBe('none')
  })
})

describe('the count of bytes to read', () => {
  it('acquires what was written', async () => {
    const found = await racingProgram(function* (self, cell) {
      const [r, w] = yield* self.pipe2()
      yield* together(
        self,
        function* (child) {
          yield* child.store(cell, 1)
          yield* child.write(w, bytes(1))
        },
        function* (child) {
          while ((yield* child.bytesReadable(r)) === 0) yield* child.schedYield()
          yield* child.load(cell)
        },
      )
    })
    expect(found).toBe('none')
  })
})

describe('a poll that says', () => {
  it('readable acquires the write of the first byte, and only that', async () => {
    for (const [first, races] of [
      [true, 'none'],
      [false, 'all'],
    ] as const) {
      const found = await racingProgram(function* (self, cell) {
        const [r, w] = yield* self.pipe2()
        if (!first) yield* self.write(w, bytes(1))
        yield* together(
          self,
          function* (child) {
            yield* child.store(cell, 1)
            yield* child.write(w, bytes(1))
          },
          function* (child) {
            yield* child.poll([{ fd: r, events: POLLIN }], -1)
            yield* child.load(cell)
          },
        )
      })
      expect(found).toBe(races)
    }
  })
})
