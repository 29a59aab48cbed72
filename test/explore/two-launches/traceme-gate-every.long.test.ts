import { twoLaunchesSucceed } from '../protocol/two-launches.ts'

twoLaunchesSucceed('traceme, gate')
