/**
 * Launchers with known bugs. explore() finds each, names it, finds it again by its schedule, and finds nothing
 * once fixed.
 */

import { describe, expect, it } from 'vitest'
import { explore, replay } from '../../lib/sim/index.ts'
import { brokenLaunchers } from './broken-launchers/index.ts'

describe.each(Object.entries(brokenLaunchers))('%s', (_, { broken, mended, kind, message, faults = 0 }) => {
  // The default bounds apply: at most two preemptions. A bug that needs more would be found only by luck.
  it('is found and named; its schedule finds it again', async () => {
    const { failure } = await explore(broken, { faults })
    expect(failure).toMatchObject({ kind, error: { message: expect.stringMatching(message) } })
    const again = await replay(broken, failure!.schedule)
    expect(again).toMatchObject({ schedules: 1, failure: { kind, error: { message: failure!.error.message } } })
  })

  it('is not there any more when it is mended', async () => {
    const report = await explore(mended, { faults })
    expect(report.failure?.error).toBeUndefined()
    expect(report.complete).toBe(true)
  })
})
