/** A child killed on its way to its exec: the launch reports a death, never a start. */

import { chmodSync, closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'
import { explore } from '../../../lib/sim/index.ts'
import { temporaryFolder } from '../support/compile.ts'
import { modes, optionsOf } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'

describeNative('a child that is killed before its exec', system => {
  const program = join(temporaryFolder(), 'busy')
  writeFileSync(program, '#!/bin/sh\nexit 0\n')
  chmodSync(program, 0o755)

  // A program open for writing fails with ETXTBSY and is retried for 63 ms. Meanwhile the child is on its way, and no
  // gate or stop holds it. It is killed as soon as it has a pid: on a slow machine 63 ms are short.
  function launchKilled(options: LaunchOptions): { pid: number; launching: Promise<unknown> } {
    let pid = 0
    const fork = vi.spyOn(system, 'fork').mockImplementation(child => {
      fork.mockRestore()
      pid = system.fork(child)
      system.kill(pid, 'SIGKILL')
      return pid
    })
    const launching = launch(program, [], { ...options, stdio: 'ignore', system })
    return { pid, launching }
  }

  const onItsWay = modes.filter(({ trace }) => trace !== 'traceme')
  it.each(onItsWay)('rejects the launch with ChildDiedError ($name)', async mode => {
    const writer = openSync(program, 'r+')
    try {
      const { pid, launching } = launchKilled(optionsOf(mode))
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

  it('in a session of its own is reported as well', async () => {
    const writer = openSync(program, 'r+')
    try {
      const { pid, launching } = launchKilled({ detached: true, trace: false })
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
        // The program waits forever. The injected kill ends it, or this one.
        const outcome = await launch('/bin/program', [], { trace: false, stdio: 'ignore', env: {}, system }).then(
          async child => {
            await child[Symbol.asyncDispose]()
            return 'launched'
          },
          error => (error as { code: string }).code,
        )
        if (outcome === 'ERR_CHILD_DIED' && hasRun) throw new Error('a successful launch was reported as a death')
      },
      { strategy: 'exhaustive', faults: 1 },
    )
    expect(failure?.error).toBeUndefined()
    expect(complete).toBe(true)
  })
})
