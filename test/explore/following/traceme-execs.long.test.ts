import { followingHolds } from '../protocol/follow-proofs.ts'
import { caseNamed } from '../protocol/following.ts'

followingHolds('traceme', [caseNamed('a thread execs')])
