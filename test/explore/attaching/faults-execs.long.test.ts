import { acts, execPrograms } from '../protocol/attach-cases.ts'
import { attachingHoldsWithin } from '../protocol/attach-proofs.ts'

attachingHoldsWithin(execPrograms, acts, { faults: 1 })
