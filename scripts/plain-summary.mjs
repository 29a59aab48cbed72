// A vitest reporter: one plain line with the counts, for machines to read.

import { writeFileSync } from 'node:fs'

export default class PlainSummary {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state in counts) counts[state]++
      }
      // A file that fails to load has no failed tests, so count it here.
      counts.failed += module.errors().length
    }
    const line = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`
    if (process.env.TRACEGATE_SUMMARY) writeFileSync(process.env.TRACEGATE_SUMMARY, line)
    else process.stdout.write(line)
  }
}
