/** Faults in the calls that programs make. */

import { describe, expect, it } from 'vitest'
import type { Calling, HandlerOptions, SimulatedProcess } from '../../../lib/sim/index.ts'
import { constants } from '../system.ts'
import { failuresOf } from './failures-of.ts'

describe('with a fault allowed, in a program', () => {
  it('a wait for a child is interrupted by a handler without SA_RESTART, by either call', async () => {
    const waits = (wait: (process: SimulatedProcess) => Calling<unknown>, options: HandlerOptions) =>
      failuresOf(function* (process) {
        yield* process.sigaction('SIGUSR1', function* () {}, options)
        try {
          yield* process.fork(self => self.exit(0))
        } catch {
          return
        }
        yield* wait(process)
      })
    const { P_ALL, WEXITED } = constants
    for (const wait of [
      (process: SimulatedProcess) => process.waitpid(-1),
      (process: SimulatedProcess) => process.waitid(P_ALL, 0, WEXITED),
    ]) {
      expect(await waits(wait, {})).toEqual([expect.stringMatching(/^wait(pid|id) EINTR$/)])
      expect(await waits(wait, { restart: true })).toEqual([])
    }
  })
})
