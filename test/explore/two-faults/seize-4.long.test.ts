import { twoLaunchesSurviveTwoFaults } from '../protocol/two-launches.ts'

twoLaunchesSurviveTwoFaults('seize', 4, 4)
