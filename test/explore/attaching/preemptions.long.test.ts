import { acts, programs, slowPrograms } from '../protocol/attach-cases.ts'
import { attachingHoldsWithin } from '../protocol/attach-proofs.ts'
import { isLong } from '../protocol/prove.ts'

const chosen = programs.filter(each => isLong || !slowPrograms.includes(each))

// Open: handOff() of a process that is not a child, with one preemption. It has been found to leave a thread running.
const settled = acts.filter(({ name }) => isLong || name !== 'handOff()')

attachingHoldsWithin(chosen, settled, { preemptions: 1 })
if (isLong) attachingHoldsWithin(programs, acts, { preemptions: 1, faults: 1 })
