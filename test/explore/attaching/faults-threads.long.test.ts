import { acts, threadPrograms } from '../protocol/attach-cases.ts'
import { attachingHoldsWithin } from '../protocol/attach-proofs.ts'

attachingHoldsWithin(threadPrograms, acts, { faults: 1 })
