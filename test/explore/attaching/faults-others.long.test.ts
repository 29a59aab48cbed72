import { acts, execPrograms, programs, slowPrograms, threadPrograms } from '../protocol/attach-cases.ts'
import { attachingHoldsWithin } from '../protocol/attach-proofs.ts'
import { isLong } from '../protocol/prove.ts'

const others = programs.filter(each => !execPrograms.includes(each) && !threadPrograms.includes(each))

attachingHoldsWithin(
  others.filter(each => isLong || !slowPrograms.includes(each)),
  acts,
  { faults: 1 },
)
