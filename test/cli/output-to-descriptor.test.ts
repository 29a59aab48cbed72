/** `--output fd:N`: each descriptor of Node's own in test:long, a few of them in npm test. */

import { describe, expect, it } from 'vitest'
import { isLong } from '../support/rounds.ts'
import { main, script, startProgram } from './command.ts'

describe('--output fd:N', () => {
  const descriptors = Array.from({ length: 22 }, (_, index) => index + 3).filter(fd => isLong || fd % 6 === 0)

  it.each([
    ['script', script],
    ['JavaScript', `${process.execPath} ${main}`],
  ])("refuses Node's own descriptors, started by its %s", async (_, command) => {
    const line = `for fd in ${descriptors.join(' ')}; do
      ${command} run --simulate --json --output fd:$fd -- /bin/true 2>/dev/null
      echo $?
    done`
    const { stdout } = await startProgram('/bin/sh', ['-c', line]).finished
    expect(new Set(stdout.trim().split('\n'))).toEqual(new Set(['2']))
  })
})
