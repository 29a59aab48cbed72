import { describe, it } from 'vitest'
import { acts, programs } from '../protocol/attach-cases.ts'
import { attachingHoldsWithin } from '../protocol/attach-proofs.ts'
import { isLong } from '../protocol/prove.ts'

// Open: handOff() of a process that is not a child has been found to leave a thread running that was about to end.
if (isLong) {
  attachingHoldsWithin(programs, acts, { preemptions: 1 })
  attachingHoldsWithin(programs, acts, { preemptions: 1, faults: 1 })
} else {
  describe('a program that is attached to', () =>
    it.skip('with a preemption [skipped: TRACEGATE_PROOF is not long]', () => {}))
}
