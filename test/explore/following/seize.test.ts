import { followingHoldsWithin, followingSurvivesFaults } from '../protocol/follow-proofs.ts'
import { quickCases, twoAtOnce } from '../protocol/following.ts'

followingSurvivesFaults('seize', quickCases)
followingHoldsWithin('seize', twoAtOnce, 0)
