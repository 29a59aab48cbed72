/** Launchers with known bugs: each is found, said what it is, found again by its schedule, and no more there once it is mended. */

import { describe, expect, it } from 'vitest'
import { explore, replay } from '../../lib/sim/index.ts'
import { brokenLaunchers } from './broken-launchers/index.ts'

describe.each(Object.entries(brokenLaunchers))('%s', (_, { broken, mended, kind, message, faults = 0 }) => {
  // By default, and so with two preemptions at the most: one that needed more would be found by luck alone.
  it('is found and said what it is; its schedule finds it again', async () => {
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
