import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { watchLeftStopped } from '../../lib/cli/left-stopped.ts'
import { traceStateOf } from '../../lib/cli/proc.ts'
import { launch } from '../../lib/launch/launch.ts'
import { describeNative } from '../support/describe-native.ts'
import { eventually, skipped, whyNotAttach } from './command.ts'

/** Runs before all other programs on the first processor. */
const first = ['--fifo', '1', 'taskset', '-c', '0']

const whyNot =
  whyNotAttach('gdb') ??
  (spawnSync('chrt', [...first, 'true']).status === 0 ? undefined : 'no real-time scheduling for this user')

describeNative('a program whose debugger is killed', () => {
  it.skipIf(whyNot !== undefined)(
    `is found stopped, however late it gets to stop again${skipped(whyNot)}`,
    async () => {
      // Up to a second late: the kernel leaves other programs 50 ms of each second.
      await using program = await launch('taskset', ['-c', '0', 'sleep', '100'], { trace: false })
      const busy = spawn('chrt', [...first, 'sh', '-c', 'while :; do :; done'])
      const debug = spawn('gdb', ['-q', '-nx', '-p', String(program.pid)], { stdio: ['pipe', 'ignore', 'ignore'] })
      const ends = [debug, busy].map(child => once(child, 'exit'))
      try {
        program.kill('SIGSTOP')
        await eventually(() => traceStateOf(program.pid)?.tracer === debug.pid, 'gdb')
        let times = 0
        using _ = watchLeftStopped(program.pid, () => times++, true)
        debug.kill('SIGKILL')
        await eventually(() => times > 0, 'the report')
        expect(times).toBe(1)
      } finally {
        for (const child of [debug, busy]) child.kill('SIGKILL')
        await Promise.all(ends)
      }
    },
  )
})
