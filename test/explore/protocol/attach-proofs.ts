/** attach(): under every schedule, with a preemption, and with a fault, at each step of the program. */

import { describe, it } from 'vitest'
import type { Act, Attachable } from './attaching.ts'
import { attaching, stepsOf } from './attaching.ts'
import { type Bounds, exploreFromExec } from './from-exec.ts'
import { limit, note, printsCounts, schedulesOf, withoutStacks } from './prove.ts'

/** With a fault, or a preemption, or both: at each step of the program. */
export function attachingHoldsWithin(programs: readonly Attachable[], acts: readonly Act[], bounds: Bounds): void {
  const { preemptions = 0, faults = 0 } = bounds
  const within = `${preemptions} preemptions and ${faults} faults`
  describe('a program that is attached to', limit, () => {
    it.for(programs)(`is held, and goes on or ends, with ${within}: $name`, async (program, { signal }) => {
      let all = 0
      for (const act of acts) {
        for (let steps = 0; steps <= stepsOf(program); steps++) {
          all += await prove(program, act, steps, { preemptions, faults, signal })
        }
      }
      note(all, `${program.name}: ${acts.map(act => act.name).join(', ')}; ${within}`)
    })
  })
  printsCounts()
}

/** Every schedule there is from the exec of the program on, so that attach() comes at any of its steps. */
export function attachingHolds(programs: readonly Attachable[], acts: readonly Act[]): void {
  describe('a program that is attached to', limit, () => {
    it.for(programs)('is held, and goes on or ends, under every schedule: $name', async (program, { signal }) => {
      for (const act of acts) note(await prove(program, act, 0, { signal }), `${program.name}: ${act.name}`)
    })
  })
  printsCounts()
}

async function prove(program: Attachable, act: Act, steps: number, bounds: Bounds): Promise<number> {
  const report = await withoutStacks(() => exploreFromExec(attaching(program, act, steps, bounds.faults), bounds))
  try {
    return schedulesOf(report, true)
  } catch (error) {
    throw new Error(`${act.name} after ${steps} steps: ${(error as Error).message}`)
  }
}
