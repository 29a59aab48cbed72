import { actsNamed, programsNamed } from '../protocol/attach-cases.ts'
import { attachingHolds } from '../protocol/attach-proofs.ts'

attachingHolds(programsNamed('one thread', 'a thread comes and goes'), actsNamed('detach()', 'disposal'))
