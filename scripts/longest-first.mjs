// The order of the test files: those that take minutes start first, and the others run beside them.

import { BaseSequencer } from 'vitest/node'

const longest = ['/test/explore/two-launches/', '/test/explore/', '/test/model/']

const rank = ({ moduleId }) => {
  const found = longest.findIndex(folder => moduleId.includes(folder))
  return found < 0 ? longest.length : found
}

export class LongestFirst extends BaseSequencer {
  async sort(files) {
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other))
  }
}
