import { followingHolds } from '../protocol/follow-proofs.ts'
import { caseNamed } from '../protocol/following.ts'

followingHolds('seize', [caseNamed('a thread execs')])
