import { testFamily } from './family-test.ts'

// An operation of these takes ten times as long as one of a pipe.
testFamily('threads', 1000)
