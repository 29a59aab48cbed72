import { describe, expect, it } from 'vitest'
import type { SimulatedProcess } from '../../../lib/sim/index.ts'
import { bytes, constants } from '../world.ts'
import { racingProgram, together } from './run.ts'

const { O_DIRECT } = constants

/** Reads until so many bytes are there. */
function* readExactly(self: SimulatedProcess, fd: number, count: number) {
  for (let left = count; left > 0; ) left -= yield* self.read(fd, bytes(left))
}

describe('two accesses to one cell', () => {
  it('race when nothing orders them and one is a store', async () => {
    expect(
      await racingProgram((self, cell) =>
        together(
          self,
          child => child.store(cell, 1),
          child => child.load(cell),
        ),
      ),
    ).toBe('all')
  })

  it('race when both are stores', async () => {
    expect(
      await racingProgram((self, cell) =>
        together(
          self,
          child => child.store(cell, 1),
          child => child.store(cell, 2),
        ),
      ),
    ).toBe('all')
  })

  it('do not race when both are loads', async () => {
    expect(
      await racingProgram((self, cell) =>
        together(
          self,
          child => child.load(cell),
          child => child.load(cell),
        ),
      ),
    ).toBe('none')
  })

  it('are not ordered by time: a sleep is no synchronisation', async () => {
    expect(
      await racingProgram((self, cell) =>
        together(
          self,
          child => child.store(cell, 1),
          function* (child) {
            yield* child.sleep(1000)
            yield* child.load(cell)
          },
        ),
      ),
    ).toBe('all')
  })
})

describe('a read of a pipe', () => {
  it('acquires what came before the write, and not what comes after it', async () => {
    for (const [when, races] of [
      ['before', 'none'],
      ['after', 'all'],
    ] as const) {
      const found = await racingProgram(function* (self, cell) {
        const [r, w] = yield* self.pipe2()
        yield* together(
          self,
          function* (child) {
            if (when === 'before') yield* child.store(cell, 1)
            yield* child.write(w, bytes(1))
            if (when === 'after') yield* child.store(cell, 1)
          },
          function* (child) {
            yield* child.read(r, bytes(1))
            yield* child.load(cell)
          },
        )
      })
      expect(found, when).toBe(races)
    }
  })

  it.each([
    [1, 'all'],
    [2, 'none'],
  ] as const)('of %i of two bytes, each written by another, with a store between: %s race', async (count, races) => {
    const found = await racingProgram(function* (self, cell) {
      const [r, w] = yield* self.pipe2()
      const [turn, next] = yield* self.pipe2()
      yield* together(
        self,
        function* (child) {
          yield* child.write(w, bytes(1))
          yield* child.write(next, bytes(1))
        },
        function* (child) {
          yield* child.read(turn, bytes(1))
          yield* child.store(cell, 1)
          // Merged into the slot of the first byte.
          yield* child.write(w, bytes(1))
          yield* child.write(next, bytes(1))
        },
        function* (child) {
          yield* readExactly(child, r, count)
          yield* child.load(cell)
        },
      )
    })
    expect(found).toBe(races)
  })

  it('acquires each part of a write that was split', async () => {
    const found = await racingProgram(function* (self, cell) {
      const [r, w] = yield* self.pipe2()
      yield* together(
        self,
        function* (child) {
          yield* child.store(cell, 1)
          yield* child.write(w, bytes(10_000))
        },
        function* (child) {
          yield* readExactly(child, r, 9_999)
        },
        function* (child) {
          yield* child.read(r, bytes(1))
          yield* child.load(cell)
        },
      )
    })
    expect(found).toBe('none')
  })

  it('that ends in the middle of a packet leaves nothing of it to the next', async () => {
    const find = (loads: 1 | 2) =>
      racingProgram(function* (self, cell) {
        const [r, w] = yield* self.pipe2(O_DIRECT)
        yield* together(
          self,
          function* (child) {
            yield* child.write(w, bytes(100))
            yield* child.store(cell, 1)
            yield* child.write(w, bytes(1))
          },
          function* (child) {
            for (let i = 0; i < loads; i++) yield* child.read(r, bytes(1))
            yield* child.load(cell)
          },
        )
      })
    expect(await find(1)).toBe('all')
    expect(await find(2)).toBe('none')
  })

  it('does not order two readers of one pipe', async () => {
    const found = await racingProgram(function* (self, cell) {
      const [r, w] = yield* self.pipe2()
      yield* self.write(w, bytes(2))
      const reader = function* (child: SimulatedProcess) {
        yield* child.read(r, bytes(1))
        yield* child.store(cell, 1)
      }
      yield* together(self, reader, reader)
    })
    expect(found).toBe('all')
  })
})

describe('end of file', () => {
  it.each([
    ['before', 'none'],
    ['after', 'all'],
  ] as const)('and what a writer that is not the last one stored %s its close: %s race', async (when, races) => {
    const found = await racingProgram(function* (self, cell) {
      const [r, w] = yield* self.pipe2()
      const [go, ready] = yield* self.pipe2()
      yield* self.fork(function* (child) {
        if (when === 'before') yield* child.store(cell, 1)
        yield* child.close(w)
        if (when === 'after') yield* child.store(cell, 1)
        yield* child.write(ready, bytes(1))
      })
      // Of two writers, whichever closes last.
      const last = yield* self.fork(function* (child) {
        yield* child.close(w)
      })
      yield* self.close(w)
      const reader = yield* self.fork(function* (child) {
        yield* child.read(r, bytes(1))
        yield* child.load(cell)
      })
      for (const pid of [last, reader]) yield* self.waitpid(pid)
      yield* self.read(go, bytes(1))
      yield* self.waitpid(-1)
    })
    expect(found).toBe(races)
  })

  it('comes after the exit of the last writer', async () => {
    const found = await racingProgram(function* (self, cell) {
      const [r, w] = yield* self.pipe2()
      yield* self.fork(child => child.store(cell, 1))
      yield* self.close(w)
      yield* self.read(r, bytes(1))
      yield* self.load(cell)
      yield* self.waitpid(-1)
    })
    expect(found).toBe('none')
  })

  it('comes after all that the threads of a writing process did, of which the last closes its descriptors', async () => {
    const found = await racingProgram(function* (self, cell) {
      const [r, w] = yield* self.pipe2()
      yield* self.fork(function* (child) {
        yield* child.thread(thread => thread.store(cell, 1))
        // Long enough for the thread to end; time passing is no synchronisation.
        yield* child.sleep(1)
      })
      yield* self.close(w)
      yield* self.read(r, bytes(1))
      yield* self.load(cell)
      yield* self.waitpid(-1)
    })
    expect(found).toBe('none')
  })

  it('does not depend on the remaining readers', async () => {
    const found = await racingProgram(function* (self, cell) {
      const [r, w] = yield* self.pipe2()
      const other = yield* self.fork(function* (child) {
        yield* child.close(w)
        yield* child.store(cell, 1)
        yield* child.read(r, bytes(1))
      })
      yield* self.close(w)
      yield* self.read(r, bytes(1))
      yield* self.load(cell)
      yield* self.waitpid(other)
    })
    expect(found).toBe('all')
  })
})
