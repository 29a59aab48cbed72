import { describe, expect, it } from 'vitest'
import type { Program, SimulatedProcess } from '../../../lib/sim/index.ts'
import { bytes } from '../world.ts'
import { racing, type WatchedWorld } from './run.ts'

/** A process that makes two children run these programs, and waits for both of them. */
function* both(self: SimulatedProcess, one: Program, other: Program) {
  const pids = [yield* self.fork(one), yield* self.fork(other)]
  for (const pid of pids) yield* self.waitpid(pid)
}

function run({ kernel, host }: WatchedWorld, program: Program): void {
  kernel.install('/main', program)
  const pid = host.fork({ actions: [{ op: 'execve', files: ['/main'], argv: ['main'], env: [] }] })
  host.waitpid(pid)
}

describe('two accesses to one cell', () => {
  it('race when nothing orders them and one is a store', async () => {
    const scenario = (world: WatchedWorld) => {
      const cell = world.kernel.cell(0)
      run(world, self =>
        both(
          self,
          function* (child) {
            yield* child.store(cell, 1)
          },
          function* (child) {
            yield* child.load(cell)
          },
        ),
      )
    }
    expect(await racing(scenario)).toBe('all')
  })

  it('do not race when both are loads', async () => {
    const scenario = (world: WatchedWorld) => {
      const cell = world.kernel.cell(0)
      const load: Program = function* (child) {
        yield* child.load(cell)
      }
      run(world, self => both(self, load, load))
    }
    expect(await racing(scenario)).toBe('none')
  })
})

describe('a pipe', () => {
  const scenario = (storeFirst: boolean) => (world: WatchedWorld) => {
    const cell = world.kernel.cell(0)
    run(world, function* (self) {
      const [r, w] = yield* self.pipe2()
      yield* both(
        self,
        function* (child) {
          if (storeFirst) yield* child.store(cell, 1)
          yield* child.write(w, bytes(1))
          if (!storeFirst) yield* child.store(cell, 1)
        },
        function* (child) {
          yield* child.read(r, bytes(1))
          yield* child.load(cell)
        },
      )
    })
  }

  it('orders what came before a write before what follows its read', async () => {
    expect(await racing(scenario(true))).toBe('none')
  })

  it('does not order what comes after the write', async () => {
    expect(await racing(scenario(false))).toBe('all')
  })
})
