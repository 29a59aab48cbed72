import { once } from 'node:events'
import { expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'
import { eventually, hasTool, isGone, start, stateOf, tracegate } from './command.ts'

const gdb = hasTool('gdb') ? undefined : 'gdb is not installed'
const strace = hasTool('strace') ? undefined : 'strace is not installed'

describeNative('tracegate hold', () => {
  it('prints the pid of a program in state T, and stays until it ends', async () => {
    const running = start(['hold', '--', '/bin/sh', '-c', 'echo ran; exit 4'])
    const pid = Number(await running.firstLine)
    expect(stateOf(pid)).toBe('T')
    process.kill(pid, 'SIGCONT')
    expect(await running.finished).toMatchObject({ status: 4, stdout: `${pid}\nran\n` })
  })

  it('ends with its program when it is asked to end', async () => {
    const running = start(['hold', '--', '/bin/sleep', '1000'])
    const pid = Number(await running.firstLine)
    running.process.kill('SIGTERM')
    expect((await running.finished).status).toBe(143)
    expect(isGone(pid)).toBe(true)
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

  it.skipIf(gdb)(`lets gdb attach at the first instruction and run the program to its end${gdb ?? ''}`, async () => {
    const { status, stdout } = await tracegate('with', line, '--', '/bin/echo', 'from gdb')
    expect(status).toBe(0)
    expect(stdout).toContain('_start in section .text')
    expect(stdout).toContain('from gdb\n')
    expect(stdout).toContain('exited normally')
  })

  it.skipIf(strace)(`--continue lets strace see the program from its start${strace ?? ''}`, async () => {
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
  })

  it('exits as the tool did, and cleans up the program', async () => {
    const { status, stdout } = await tracegate('with', 'echo {pid}; exit 6', '--', '/bin/sleep', '1000')
    expect(status).toBe(6)
    expect(isGone(Number(stdout))).toBe(true)
  })
})
