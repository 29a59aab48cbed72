import { twoLaunchesSurviveTwoFaults } from '../protocol/two-launches.ts'

twoLaunchesSurviveTwoFaults('seize', 2, 4)
