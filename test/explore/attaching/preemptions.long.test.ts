import { acts, actsNamed, programs, programsNamed, slowPrograms } from '../protocol/attach-cases.ts'
import { attachingHoldsWithin } from '../protocol/attach-proofs.ts'
import { isLong } from '../protocol/prove.ts'

// A hundred thousand schedules of each program.
const continued = actsNamed('handOff() and a SIGCONT')

if (isLong) {
  attachingHoldsWithin(programs, acts, { preemptions: 1 })
  attachingHoldsWithin(programs, acts, { preemptions: 1, faults: 1 })
} else {
  attachingHoldsWithin(
    programs.filter(each => !slowPrograms.includes(each)),
    acts.filter(each => !continued.includes(each)),
    { preemptions: 1 },
  )
  attachingHoldsWithin(programsNamed('a thread comes and goes', 'the main thread ends first'), continued, {
    preemptions: 1,
  })
}
