/** gdb and strace take over a handed-off tracee at its first instruction. */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { launch } from '../../lib/launch/launch.ts'
import { processLimitMs } from '../support/time-limits.ts'
import { tracings } from './support/modes.ts'
import { describeNative } from './support/native.ts'
import { whyNot } from './support/node.ts'
import { statusOf, until } from './support/processes.ts'
import { textOf } from './support/streams.ts'

const gdb = whyNot('gdb')
const strace = whyNot('strace')
const skipped = (why: string | undefined) => (why === undefined ? '' : ` [skipped: ${why}]`)

describeNative('a tracee that was handed off', () => {
  it.skipIf(gdb !== undefined).each(tracings)(
    `is run by gdb from its first instruction to its end (%s)${skipped(gdb)}`,
    async trace => {
      await using tracee = await launch('/bin/sh', ['-c', 'echo from under gdb; exit 3'], { trace })
      const output = textOf(tracee.stdout)
      await tracee.handOff()
      const commands = ['info symbol $pc', 'handle SIGSTOP nostop noprint nopass', 'continue']
      const args = ['-q', '-batch', '-nx', '-p', String(tracee.pid), ...commands.flatMap(each => ['-ex', each])]
      const { stdout } = await promisify(execFile)('gdb', args, {
        timeout: processLimitMs,
        env: { ...process.env, DEBUGINFOD_URLS: '' },
      })
      expect(stdout).toMatch(/_start in section \.text/)
      expect(stdout).toMatch(/\[Inferior 1 \(process \d+\) exited with code 03\]/)
      expect(await tracee.exited).toMatchObject({ code: 3 })
      expect(await output).toBe('from under gdb\n')
    },
  )

  it.skipIf(strace !== undefined).each(tracings)(
    `is traced by strace -p from its first system call to its end (%s)${skipped(strace)}`,
    async trace => {
      await using tracee = await launch('/bin/sh', ['-c', 'exit 5'], { trace })
      await tracee.handOff()
      const tool = spawn('strace', ['-p', String(tracee.pid)], { stdio: ['ignore', 'ignore', 'pipe'] })
      const log = textOf(tool.stderr)
      await until('strace has attached', () => statusOf(tracee.pid, 'TracerPid') !== 0)
      tracee.kill('SIGCONT')
      expect(await tracee.exited).toMatchObject({ code: 5 })
      if (tool.exitCode === null) await once(tool, 'exit')
      const text = await log
      // The loader's first call, and the program's last.
      expect(text).toMatch(/brk\(NULL\)/)
      expect(text).toMatch(/exit_group\(5\)/)
      expect(text).toMatch(/\+\+\+ exited with 5 \+\+\+/)
    },
  )
})
