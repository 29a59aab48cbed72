import { followingHoldsWithin } from '../protocol/follow-proofs.ts'
import { actsDuringBirth } from '../protocol/following.ts'

followingHoldsWithin('seize', actsDuringBirth, 1)
