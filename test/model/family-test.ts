/** The test of one family: random programs on the real kernel and on the simulated one. */

import { expect, it } from 'vitest'
import { whyNoCompiler } from '../support/c-program.ts'
import { describeNative } from '../support/describe-native.ts'
import { whyNoNative } from '../support/native.ts'
import { seedOf } from '../support/seed.ts'
import { whyNoSockets } from './calibrate.ts'
import { checkFamily } from './check.ts'
import { type FamilyName, familyOf } from './families/index.ts'
import { isOwnGroupOrphaned, whyNoTracing, withWorlds } from './machine.ts'
import { report } from './run-program.ts'

// Other ones each time by TRACEGATE_SEED=fresh, by `npm run model`, and many more in test:long: what a few thousand
// miss, those may find.
const fewOperations = 2500
// The tests take seconds; on a busy machine, minutes.
const timeoutMs = 600_000

const withProcesses: readonly FamilyName[] = ['processes', 'threads', 'mixed']
const withSockets: readonly FamilyName[] = ['streams', 'messages', 'polling', 'mixed']

/** Why a family cannot be compared here; undefined when it can. */
function whyNot(name: FamilyName): string | undefined {
  if (whyNoNative !== undefined) return whyNoNative
  if (name === 'threads' && whyNoCompiler !== undefined) return whyNoCompiler
  const why = withProcesses.includes(name) ? whyNoTracing() : undefined
  return why ?? (withSockets.includes(name) ? withWorlds(undefined, whyNoSockets) : undefined)
}

/** The seed is in the test's title, so that it is seen even if the test times out. */
export function testFamily(name: FamilyName, operations = fewOperations): void {
  const seed = seedOf(`${name} ${operations}`)
  const alsoNeeds = whyNot(name)
  describeNative(
    `model: ${name}`,
    () => {
      it(`agrees with the real kernel after each of ${operations} operations (seed ${seed})`, {
        timeout: timeoutMs,
      }, () => {
        const family = familyOf(name, isOwnGroupOrphaned())
        const checked = withWorlds(family, worlds => checkFamily(family, worlds, { operations, seed }))
        const { divergence } = checked
        if (divergence !== undefined) {
          expect.fail(`${report(divergence)}\n\nrun again: npm run model -- --family ${name} --seed ${checked.seed}`)
        }
        expect(checked.operations).toBeGreaterThanOrEqual(operations)
      })
    },
    alsoNeeds,
    timeoutMs,
  )
}
