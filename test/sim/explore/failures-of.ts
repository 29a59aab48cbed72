import { expect } from 'vitest'
import { type Calling, explore, type SimulatedProcess } from '../../../lib/sim/index.ts'
import type { SystemError } from '../../../lib/system/errors.ts'
import { exec } from '../world.ts'

/** The errors that calls of a program fail with, in all runs. */
export async function failuresOf(calls: (process: SimulatedProcess) => Calling<unknown>): Promise<string[]> {
  const notes = new Set<string>()
  const { complete, failure } = await explore(
    ({ kernel, system }) => {
      kernel.install('/calls', function* (process) {
        try {
          yield* calls(process)
        } catch (error) {
          const { code, syscall } = error as SystemError
          notes.add(`${syscall} ${code}`)
        }
      })
      let pid: number
      try {
        pid = system.fork({ actions: [exec('/calls')] })
      } catch {
        // The fault is the fork's.
        return
      }
      system.waitpid(pid)
    },
    { faults: 1, preemptions: 0 },
  )
  expect(failure?.error).toBeUndefined()
  expect(complete).toBe(true)
  return [...notes].sort()
}
