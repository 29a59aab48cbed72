import { testFamily } from './family-test.ts'

testFamily('pipes')
