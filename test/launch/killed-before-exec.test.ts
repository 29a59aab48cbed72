/** A child that is killed on its way to its exec: what is told of it is that it died, never that it was started. */

import { chmodSync, closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { launch } from '../../lib/launch/launch.ts'
import { explore } from '../../lib/sim/index.ts'
import { childrenOfThisProcess } from '../support/process-table.ts'
import { temporaryFolder } from './support/compile.ts'
import { modes, optionsOf } from './support/modes.ts'
import { describeNative } from './support/native.ts'

describeNative('a child that is killed before its exec', system => {
  const program = join(temporaryFolder(), 'busy')
  writeFileSync(program, '#!/bin/sh\nexit 0\n')
  chmodSync(program, 0o755)

  // A program that is open for writing is tried again for a while: the child is on its way, and nothing holds it.
  const onItsWay = modes.filter(({ trace }) => trace !== 'traceme')
  it.each(onItsWay)('rejects the launch with ChildDiedError ($name)', async mode => {
    const writer = openSync(program, 'r+')
    try {
      const before = childrenOfThisProcess()
      const launching = launch(program, [], { ...optionsOf(mode), stdio: 'ignore', system })
      const [pid] = [...childrenOfThisProcess().keys()].filter(each => !before.has(each))
      system.kill(pid!, 'SIGKILL')
      await expect(launching).rejects.toMatchObject({
        name: 'ChildDiedError',
        code: 'ERR_CHILD_DIED',
        pid,
        status: { signal: 'SIGKILL' },
      })
    } finally {
      closeSync(writer)
    }
  })

  it.each([{}, { detached: true }, { memory: 'copied' }] as const)(
    'is not confused with a program that kills itself at once (%o)',
    async options => {
      const child = await launch('/bin/sh', ['-c', 'kill -KILL $$'], {
        ...options,
        trace: false,
        stdio: 'ignore',
        system,
      })
      expect(await child.exited).toMatchObject({ signal: 'SIGKILL' })
    },
  )

  it('in a session of its own is told as well', async () => {
    const writer = openSync(program, 'r+')
    try {
      const before = childrenOfThisProcess()
      const launching = launch(program, [], { detached: true, trace: false, stdio: 'ignore', system })
      const [pid] = [...childrenOfThisProcess().keys()].filter(each => !before.has(each))
      system.kill(pid!, 'SIGKILL')
      await expect(launching).rejects.toMatchObject({ code: 'ERR_CHILD_DIED', pid })
    } finally {
      closeSync(writer)
    }
  })
})

describe('a simulated child that is killed at any step of an untraced launch', () => {
  it('either never ran, and the launch rejects, or was started', async () => {
    const { failure, complete } = await explore(
      async ({ kernel, system }) => {
        let hasRun = false
        kernel.install('/bin/program', function* (process) {
          hasRun = true
          yield* process.pause()
        })
        // The program waits for ever: it ends by the kill that is injected, or by this one.
        const outcome = await launch('/bin/program', [], { trace: false, stdio: 'ignore', env: {}, system }).then(
          async child => {
            await child[Symbol.asyncDispose]()
            return 'launched'
          },
          error => (error as { code: string }).code,
        )
        if (outcome === 'ERR_CHILD_DIED' && hasRun) throw new Error('a launch that has succeeded was told as a death')
      },
      { strategy: 'exhaustive', faults: 1 },
    )
    expect(failure?.error).toBeUndefined()
    expect(complete).toBe(true)
  })
})
