import { actsNamed, programs, slowPrograms } from '../protocol/attach-cases.ts'
import { attachingHoldsWithin } from '../protocol/attach-proofs.ts'

const quick = programs.filter(each => !slowPrograms.includes(each))

attachingHoldsWithin(quick, actsNamed('detach()', 'a loop'), { faults: 1 })
