import { twoLaunchesSurvive } from '../protocol/two-launches.ts'

twoLaunchesSurvive('traceme')
