/** A describe block for tests that need the native system. */

import { describe } from 'vitest'
import { whyNoNative } from './native.ts'
import { rescueFromBlocking } from './rescue.ts'

/**
 * A block of tests of the native system. Without that system it is skipped, with the reason in its title.
 * `alsoNeeds`: a further reason to skip it.
 */
export function describeNative(title: string, body: () => void, alsoNeeds?: string, longestBlockMs?: number): void {
  const skip = whyNoNative ?? alsoNeeds
  describe.skipIf(skip !== undefined)(skip === undefined ? title : `${title} (skipped: ${skip})`, () => {
    rescueFromBlocking(longestBlockMs)
    body()
  })
}
