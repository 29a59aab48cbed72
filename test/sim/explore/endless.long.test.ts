/** What has no end is an error of the schedule, found after 100,000 moves. */

import { describe, expect, it } from 'vitest'
import { explore } from '../../../lib/sim/index.ts'
import { exec } from '../world.ts'

describe('a run without end', () => {
  it('is one that waits for a program that never ends', async () => {
    const { failure } = await explore(({ kernel, system }) => {
      kernel.install('/bin/daemon', function* (process) {
        for (;;) yield* process.sleep(100)
      })
      system.fork({ actions: [exec('/bin/daemon')] })
      system.waitpid(-1)
    })
    expect(failure).toMatchObject({ kind: 'error', error: { code: 'ERR_ENDLESS_RUN' } })
    expect(failure?.error.message).toContain('101 (/bin/daemon)')
  })

  it('is the scenario itself, whatever it has returned', async () => {
    const { failure } = await explore(({ system }) => {
      const forever = async () => {
        for (;;) await system.sleep(100)
      }
      void forever()
    })
    expect(failure).toMatchObject({ kind: 'error', error: { code: 'ERR_ENDLESS_RUN' } })
  })
})
