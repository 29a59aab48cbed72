import { twoLaunchesSurviveTwoFaults } from '../protocol/two-launches.ts'

twoLaunchesSurviveTwoFaults('untraced, gate', 3, 4)
