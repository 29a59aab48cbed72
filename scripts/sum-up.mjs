// The last step of .ci/run: prints what failed in which run, and as the last line the sum of the tests.
//
// node scripts/sum-up.mjs FOLDER RUN...: FOLDER/RUN is what plain-summary.mjs wrote of RUN.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const [folder, ...runs] = process.argv.slice(2)
const sum = { passed: 0, failed: 0, skipped: 0 }

for (const run of runs) {
  const file = join(folder, run)
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const [, passed, failed, skipped] = /^(\d+) passed, (\d+) failed, (\d+) skipped\n/.exec(text) ?? []
  // A run that was killed counts no test at all: without this it would look as good as one that passed.
  if (passed === undefined) {
    sum.failed++
    process.stdout.write(`FAILED ${run}: it ended without a summary\n`)
    continue
  }
  sum.passed += Number(passed)
  sum.failed += Number(failed)
  sum.skipped += Number(skipped)
  process.stdout.write(text.slice(text.indexOf('\n') + 1).replace(/^FAILED /gm, `FAILED ${run}: `))
}
process.stdout.write(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`)
process.exitCode = sum.failed === 0 ? 0 : 1
