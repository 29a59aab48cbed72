import { twoLaunchesSurviveTwoFaults } from '../protocol/two-launches.ts'

twoLaunchesSurviveTwoFaults('untraced')
