import { acts, programs, slowPrograms } from '../protocol/attach-cases.ts'
import { attachingHoldsWithin } from '../protocol/attach-proofs.ts'
import { isLong } from '../protocol/prove.ts'

const chosen = programs.filter(each => isLong || !slowPrograms.includes(each))

attachingHoldsWithin(chosen, acts, { preemptions: 1 })
if (isLong) attachingHoldsWithin(programs, acts, { preemptions: 1, faults: 1 })
