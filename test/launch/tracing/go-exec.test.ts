/** A Go program execs from any of its threads. */

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, it } from 'vitest'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { temporaryFolder } from '../support/compile.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { whyNot } from '../support/node.ts'
import { stateOf, statusOf, until } from '../support/processes.ts'

const skip = whyNot('go')
const runs = 5

describeNative(`a Go program that execs${skip === undefined ? '' : ` [skipped: ${skip}]`}`, () => {
  if (skip !== undefined) return it.skip('stays traced', () => {})
  const folder = temporaryFolder()
  const program = join(folder, 'exec-by-thread')

  beforeAll(() => {
    const source = fileURLToPath(new URL('../../fixtures/exec-by-thread.go', import.meta.url))
    const env = { ...process.env, GOCACHE: join(folder, 'cache'), GO111MODULE: 'off', GOFLAGS: '' }
    execFileSync('go', ['build', '-o', program, source], { env, stdio: 'pipe' })
  }, 120_000)

  const ways = tracings.flatMap(trace => (['threads', 'all', false] as const).map(follow => ({ trace, follow })))

  it.each(ways)('stays traced, and runs to its end ($trace, follow $follow)', async way => {
    let byOthers = 0
    for (let i = 0; i < runs; i++) {
      const started = await launch(program, ['/bin/cat'], { ...way, stdio: ['pipe', 'pipe', 'inherit'] })
      const tracee = started as unknown as Tracee
      await using _ = tracee
      let execs = 0
      tracee.on('stop', stop => {
        if (stop.event !== 'exec') return
        execs++
        if (stop.formerTid !== tracee.pid) byOthers++
      })
      const run = tracee.run()
      await until('it has exec’ed', () => execs === 1)
      await until('it reads', () => stateOf(tracee.pid) === 'S')
      expect(statusOf(tracee.pid, 'TracerPid')).not.toBe(0)
      expect([...tracee.threads.keys()]).toEqual([tracee.pid])
      tracee.interrupt()
      started.stdin.end('x')
      expect(await run).toMatchObject({ code: 0 })
    }
    expect(byOthers, 'the exec is by another thread than the main one').toBe(runs)
  })
})
