import { acts, programs, slowPrograms } from '../protocol/attach-cases.ts'
import { attachingHoldsWithin } from '../protocol/attach-proofs.ts'
import { isLong } from '../protocol/prove.ts'

attachingHoldsWithin(
  programs.filter(each => isLong || !slowPrograms.includes(each)),
  acts,
  { faults: 1 },
)
