import { followingHoldsWithin, followingSurvivesFaults } from '../protocol/follow-proofs.ts'
import { quickCases, twoAtOnce } from '../protocol/following.ts'

followingSurvivesFaults('traceme', quickCases)
followingHoldsWithin('traceme', twoAtOnce, 0)
