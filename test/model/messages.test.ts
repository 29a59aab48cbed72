import { testFamily } from './family-test.ts'

testFamily('messages')
