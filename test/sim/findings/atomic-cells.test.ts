import { describe, expect, it } from 'vitest'
import { type Cell, explore, type Scenario } from '../../../lib/sim/index.ts'
import { exec, program } from '../world.ts'

/** A writer stores data and then a flag; a reader looks at the data once it has seen the flag. */
const published =
  (atomic: boolean, reads: 'after the flag' | 'whatever the flag'): Scenario =>
  ({ kernel, system }) => {
    const data: Cell<number> = kernel.cell(0, 'data')
    const flag = kernel.cell(false, { atomic, name: 'flag' })
    kernel.install('/main', function* (process) {
      const writer = yield* process.thread(function* (self) {
        yield* self.store(data, 1)
        yield* self.store(flag, true)
      })
      const isSet = yield* process.load(flag)
      if (isSet || reads === 'whatever the flag') yield* process.load(data)
      yield* writer.join()
    })
    system.waitpid(system.fork(program(exec('/main'))))
  }

describe('an atomic cell', () => {
  it.each(['bounded', 'exhaustive'] as const)(
    'orders what comes before a store and after a load of it (%s)',
    async strategy => {
      const report = await explore(published(true, 'after the flag'), { strategy })
      expect(report.failure).toBeUndefined()
      expect(report.complete).toBe(true)
    },
  )

  it('orders nothing where the load came before the store', async () => {
    const { failure } = await explore(published(true, 'whatever the flag'))
    expect(failure?.kind).toBe('race')
    expect(failure?.error.message).toContain('data race on data')
  })

  it('that is not atomic races itself', async () => {
    const { failure } = await explore(published(false, 'after the flag'))
    expect(failure?.error.message).toContain('data race on flag')
  })

  it('is refused with options that cannot be', async () => {
    const { failure } = await explore(({ kernel }) => {
      kernel.cell(0, { atomic: 1 as unknown as boolean })
    })
    expect(failure?.error).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
  })
})
