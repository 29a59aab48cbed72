import { followingHoldsWithin } from '../protocol/follow-proofs.ts'
import { actsDuringBirth } from '../protocol/following.ts'

followingHoldsWithin('traceme', actsDuringBirth, 1)
