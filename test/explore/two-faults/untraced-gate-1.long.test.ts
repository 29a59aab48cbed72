import { twoLaunchesSurviveTwoFaults } from '../protocol/two-launches.ts'

twoLaunchesSurviveTwoFaults('untraced, gate', 1, 4)
