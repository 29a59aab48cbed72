/** Each tool as each user, and twenty runs in a row: no sample and no probe of a program of 5 ms is lost. */

import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { whyNoCompiler } from '../support/c-program.ts'
import { describeNative } from '../support/describe-native.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { skipped } from './command.ts'
import {
  compileShortLived,
  pagesTouched,
  probeWork,
  recordFaults,
  samplesIn,
  users,
  whyNot,
  withTool,
} from './tools-under-with.ts'
import { testTools } from './with-tools.ts'

const runs = 20
const folder = temporaryFolder()
chmodSync(folder, 0o755)

for (const user of users.slice(1)) testTools(user, folder)

describe.each(users)('as $name', user => {
  const own = join(folder, user.name.replaceAll(' ', '-'))
  mkdirSync(own, { recursive: true })
  chmodSync(own, 0o777)

  describeNative(
    'a program of 5 ms',
    () => {
      const program = compileShortLived(folder)
      const perf = whyNot('perf', user)
      const bpftrace = whyNot('bpftrace', user)
      const file = join(own, 'perf.data')

      it.skipIf(perf !== undefined).each([
        ['when its events are open and it sleeps', []],
        ['when it answers', ['--control {control}']],
        ['from the gate', []],
      ])(
        `has its samples in perf record, let go %s, ${runs} of ${runs}${skipped(perf)}`,
        async (how, options) => {
          const hold = how === 'from the gate' ? ['--hold', 'gate'] : []
          const counts: number[] = []
          for (let n = 0; n < runs; n++) {
            const line = recordFaults(file, options)
            expect(await withTool(user, own, ...hold, line, '--', program)).toMatchObject({ status: 0, stderr: '' })
            counts.push(samplesIn(file, user))
            rmSync(file)
          }
          expect(counts).toEqual(Array(runs).fill(pagesTouched))
        },
        300_000,
      )

      it.skipIf(bpftrace !== undefined)(
        `has its probes seen by bpftrace, ${runs} of ${runs}${skipped(bpftrace)}`,
        async () => {
          for (let n = 0; n < runs; n++) {
            expect((await withTool(user, own, probeWork(program), '--', program)).stdout).toContain('saw work\n')
          }
        },
        300_000,
      )
    },
    whyNoCompiler,
  )
})
