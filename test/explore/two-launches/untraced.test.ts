import { twoLaunchesSucceed, twoLaunchesSurvive } from '../protocol/two-launches.ts'

twoLaunchesSucceed('untraced')
twoLaunchesSurvive('untraced')
