/** The frame of tests that need the native system. */

import { describe } from 'vitest'
import { whyNoNative } from './native.ts'
import { rescueFromBlocking } from './rescue.ts'

/** A block of tests of the native system; without it, skipped with the reason in its title. `alsoNeeds`: why else it cannot run here. */
export function describeNative(title: string, body: () => void, alsoNeeds?: string, longestBlockMs?: number): void {
  const skip = whyNoNative ?? alsoNeeds
  describe.skipIf(skip !== undefined)(skip === undefined ? title : `${title} (skipped: ${skip})`, () => {
    rescueFromBlocking(longestBlockMs)
    body()
  })
}
