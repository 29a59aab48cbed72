/** The frame of the contract suite: runs a block of tests once for each world. */

import { afterEach, beforeEach, describe } from 'vitest'
import type { System } from '../../lib/system/system.ts'
import { rescueFromBlocking } from '../support/rescue.ts'
import { type TidySystem, tidySystem } from '../support/tidy.ts'
import { type Programs, type World, worlds } from './systems.ts'

/** The world that a test runs in, as the test sees it. */
export interface WorldUnderTest {
  /** The System, fresh or cleaned for each test. */
  readonly system: System
  readonly programs: Programs
  readonly hasMachineCode: boolean
}

interface Needs {
  /** The block traces processes. */
  readonly tracing?: boolean
  /** The block runs scripts in threads. */
  readonly threads?: boolean
  /** The block reads machine memory and registers. */
  readonly machineCode?: boolean
}

function whySkipped(world: World, needs: Needs): string | undefined {
  if (world.skip !== undefined) return world.skip
  if (needs.tracing === true && world.skipTracing !== undefined) return world.skipTracing
  if (needs.machineCode === true && !world.hasMachineCode) return 'its programs have no machine code'
  if (needs.threads === true && world.programs.threads === undefined) return 'there is no C compiler'
  return undefined
}

/** Runs the block of tests once for each world. If it cannot run in one, its title says why. */
export function describeContract(title: string, body: (world: WorldUnderTest) => void, needs: Needs = {}): void {
  for (const world of worlds) {
    const skip = whySkipped(world, needs)
    const name = `${title} [${world.name}${skip === undefined ? '' : `, skipped: ${skip}`}]`
    describe.skipIf(skip !== undefined)(name, () => {
      let current: TidySystem | undefined
      if (world.blocksTheThread) rescueFromBlocking()
      beforeEach(() => {
        current = tidySystem(world.open())
      })
      afterEach(() => {
        current?.tidy()
      })
      body({
        get system() {
          if (current === undefined) throw new Error('a world exists inside a test only')
          return current.system
        },
        programs: world.programs,
        hasMachineCode: world.hasMachineCode,
      })
    })
  }
}
