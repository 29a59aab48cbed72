/** If a SIGCHLD watch cannot start, the launch that needs it rejects. The next launch tries again. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../launch/support/compile.ts'
import { describeNative } from '../launch/support/native.ts'
import { runNode, whyNot } from '../launch/support/node.ts'

const strace = whyNot('strace')
const skipped = strace === undefined ? '' : ` [skipped: ${strace}]`

describeNative('a launch', () => {
  const folder = temporaryFolder()
  const script = `
    const results = []
    for (let i = 0; i < 2; i++) {
      const result = await outcome(launch('/bin/true', [], { trace: false, stdio: 'ignore' }))
      await result.value?.exited
      results.push(result.value === undefined ? result : 'launched')
    }
    report({ results, children: childPids() })`

  it.skipIf(strace !== undefined)(
    `that cannot watch for SIGCHLD rejects, and the next one does not hang${skipped}`,
    async () => {
      const log = join(folder, 'calls')
      const traced = ['strace', '-qq', '-e', 'trace=rt_sigaction', '-e', 'signal=none', '-o', log]
      expect((await runNode(script, { behind: traced })).reports).toEqual([
        { results: ['launched', 'launched'], children: [] },
      ])
      const calls = readFileSync(log, 'utf8').split('\n')
      const nth = 1 + calls.findLastIndex(line => line.startsWith('rt_sigaction(SIGCHLD, {sa_handler=0x'))
      expect(nth).toBeGreaterThan(0)
      const ran = await runNode(script, { behind: [...traced, '-e', `inject=rt_sigaction:error=EPERM:when=${nth}`] })
      expect(ran.reports, ran.stderr).toMatchObject([
        { results: [{ code: 'EPERM', step: 'sigaction' }, 'launched'], children: [] },
      ])
    },
  )
})
