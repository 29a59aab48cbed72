/** Launchers with known bugs: each is found, said what it is, found again by its schedule, and no more there once it is mended. */

import { describe, expect, it } from 'vitest'
import { explore, replay } from '../../lib/sim/index.ts'
import { brokenLaunchers } from './broken-launchers/index.ts'

// As they are by default: a bug that needs more switches than these would be found by luck alone.
const preemptions = 2

describe.each(Object.entries(brokenLaunchers))('%s', (_, { broken, mended, kind, message, faults = 0 }) => {
  it('is found and said what it is; its schedule finds it again', async () => {
    const { failure } = await explore(broken, { preemptions, faults })
    expect(failure).toMatchObject({ kind, error: { message: expect.stringMatching(message) } })
    const again = await replay(broken, failure!.schedule)
    expect(again).toMatchObject({ schedules: 1, failure: { kind, error: { message: failure!.error.message } } })
  })

  it('is not there any more when it is mended', async () => {
    const report = await explore(mended, { preemptions, faults })
    expect(report.failure?.error).toBeUndefined()
    expect(report.complete).toBe(true)
  })
})
