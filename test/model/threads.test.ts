import { testFamily } from './family-test.ts'

testFamily('threads')
