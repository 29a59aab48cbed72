import { followingSurvivesFaults } from '../protocol/follow-proofs.ts'
import { longerCases } from '../protocol/following.ts'

followingSurvivesFaults('seize', longerCases)
