import { once } from 'node:events'
import { expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'
import { eventually, isGone, skipped, start, stateOf, tracegate, whyNotAttach } from './command.ts'

const gdb = whyNotAttach('gdb')
const strace = whyNotAttach('strace')

describeNative('tracegate hold', () => {
  it('prints the pid of a program in state T, and stays until it ends', async () => {
    const running = start(['hold', '--', '/bin/sh', '-c', 'echo ran; exit 4'])
    const pid = Number(await running.firstLine)
    expect(stateOf(pid)).toBe('T')
    process.kill(pid, 'SIGCONT')
    expect(await running.finished).toMatchObject({ status: 4, stdout: `${pid}\nran\n` })
  })

  it('--detach leaves the program in state T, alive after the command has ended', async () => {
    const running = start(['hold', '--detach', '--', '/bin/sleep', '1000'])
    const ended = once(running.process, 'exit')
    const pid = Number(await running.firstLine)
    try {
      expect(await ended).toEqual([0, null])
      expect(stateOf(pid)).toBe('T')
    } finally {
      process.kill(pid, 'SIGKILL')
    }
    // It had the command's standard output, so that ends with it.
    await running.finished
    await eventually(() => isGone(pid), `the end of ${pid}`)
  })
})

describeNative('tracegate with', () => {
  const line =
    "gdb -q -batch -nx -p {pid} -ex 'info symbol $pc' -ex 'handle SIGSTOP nostop noprint nopass' -ex continue"

  it.skipIf(gdb !== undefined)(
    `lets gdb attach at the first instruction and run the program to its end${skipped(gdb)}`,
    async () => {
      const { status, stdout } = await tracegate('with', line, '--', '/bin/echo', 'from gdb')
      expect(status).toBe(0)
      expect(stdout).toContain('_start in section .text')
      expect(stdout).toContain('from gdb\n')
      expect(stdout).toContain('exited normally')
    },
  )

  it.skipIf(strace !== undefined)(
    `--continue lets strace see the program from its start${skipped(strace)}`,
    async () => {
      const { status, stdout, stderr } = await tracegate(
        'with',
        '--continue',
        'strace -p {pid}',
        '--',
        '/bin/echo',
        'traced',
      )
      expect(status).toBe(0)
      expect(stdout).toBe('traced\n')
      expect(stderr).toContain('write(1, "traced\\n", 7)')
      expect(stderr).toContain('brk(NULL)')
      expect(stderr).toContain('exited with 0')
    },
  )
})
