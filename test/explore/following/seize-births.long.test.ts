import { followingHolds } from '../protocol/follow-proofs.ts'
import { births } from '../protocol/following.ts'

followingHolds('seize', births)
