// The order of the test files: those that take minutes start first, and the others run beside them.
//
// Files that need a process of their own come first of all. Such a process takes the place of one that other files
// share, which would otherwise have to start, and load the modules, a second time.

import { BaseSequencer } from 'vitest/node'

const longest = [
  '/test/native/polled-loop.',
  '/test/contract/vanished-memory.',
  '/test/contract/same-refusals.',
  '/test/explore/attaching/faults-',
  '/test/explore/attaching/preemptions.',
  '/test/explore/two-faults/untraced-gate',
  '/test/explore/two-faults/seize',
  '/test/explore/two-faults/',
  '/test/explore/following/',
  '/test/cli/with',
  '/test/launch/attempt/killed-launcher.',
  '/test/model/families.',
  '/test/launch/options/random-options.',
  '/test/explore/two-launches/',
  '/test/explore/',
  '/test/launch/attempt/refused-calls.',
  '/test/cli/hold-in-terminal.',
  '/test/cli/doctor.',
  '/test/docs.',
  '/test/cli/report.',
  '/test/launch/attempt/exit-kill.',
  '/test/launch/robustness.',
  '/test/launch/readiness/ready.',
  '/test/model/',
]

const rank = ({ moduleId }) => {
  const found = longest.findIndex(part => moduleId.includes(part))
  return found < 0 ? longest.length : found
}

export class LongestFirst extends BaseSequencer {
  async sort(files) {
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other))
  }
}
