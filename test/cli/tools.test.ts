/** Debuggers and tracers that take over a program held by the command. */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'
import { eventually, hasTool, heldLine, isGone, skipped, start, stateOf, tracegate, whyNotAttach } from './command.ts'

const gdb = whyNotAttach('gdb')
const strace = whyNotAttach('strace')
const perf = whyNoPerf()

function whyNoPerf(): string | undefined {
  if (!hasTool('perf')) return 'perf is not installed'
  const paranoid = Number(readFileSync('/proc/sys/kernel/perf_event_paranoid', 'utf8'))
  return process.getuid?.() !== 0 && paranoid > 1 ? `perf_event_paranoid is ${paranoid}` : undefined
}

const tracerOf = (pid: number) => Number(/^TracerPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
const toTheEnd = ['handle SIGSTOP nostop noprint nopass', 'continue'].flatMap(each => ['-ex', each])

describeNative('a program that tracegate hold holds', () => {
  it('has no tracer, and is at its exec', async () => {
    const running = start(['hold', '--', '/bin/sleep', '1000'])
    const pid = await running.heldPid
    expect({ state: stateOf(pid), tracer: tracerOf(pid) }).toEqual({ state: 'T', tracer: 0 })
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toBe('/bin/sleep\x001000\0')
    process.kill(pid, 'SIGKILL')
    expect(await running.finished).toMatchObject({ status: 137, stdout: '', stderr: heldLine('/bin/sleep', pid) })
  })

  it.skipIf(gdb !== undefined)(`is run to its end by gdb${skipped(gdb)}`, async () => {
    const running = start(['hold', '--', '/bin/sh', '-c', 'echo from under gdb; exit 3'])
    const pid = await running.heldPid
    const args = ['-q', '-batch', '-nx', '-p', String(pid), '-ex', 'info symbol $pc', ...toTheEnd]
    const env = { ...process.env, DEBUGINFOD_URLS: '' }
    const { stdout } = await promisify(execFile)('gdb', args, { timeout: 40_000, env })
    expect(stdout).toMatch(/_start in section \.text/)
    expect(stdout).toMatch(/exited with code 03\]/)
    expect(await running.finished).toMatchObject({ status: 3, stdout: 'from under gdb\n' })
  })

  it.skipIf(strace !== undefined)(`is seen from its first system call by strace${skipped(strace)}`, async () => {
    const running = start(['hold', '--', '/bin/sh', '-c', 'exit 5'])
    const pid = await running.heldPid
    const tool = spawn('strace', ['-p', String(pid)], { stdio: ['ignore', 'ignore', 'pipe'], timeout: 40_000 })
    let log = ''
    tool.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text
    })
    const closed = once(tool, 'close')
    await eventually(() => tracerOf(pid) !== 0, 'strace')
    process.kill(pid, 'SIGCONT')
    expect((await running.finished).status).toBe(5)
    await closed
    expect(log).toMatch(/brk\(NULL\).*exit_group\(5\)/s)
  })
})

describeNative('a tool under tracegate with', () => {
  it.skipIf(gdb !== undefined)(`may leave the program to itself: gdb${skipped(gdb)}`, async () => {
    // gdb detaches and sends no SIGCONT: the program has no tracer and runs. The command ends it together with
    // the tool.
    const line = "DEBUGINFOD_URLS= gdb -q -batch -nx -p {pid} -ex 'print 6*7'; echo {pid} >&2; exit 4"
    const { status, stdout, stderr } = await tracegate('with', line, '--', '/bin/sleep', '1000')
    expect(status).toBe(4)
    expect(stdout).toContain('$1 = 42')
    expect(isGone(Number(stderr.trim().split('\n').at(-1)))).toBe(true)
  })

  it.skipIf(gdb !== undefined)(`may kill the program: gdb${skipped(gdb)}`, async () => {
    const line = 'DEBUGINFOD_URLS= gdb -q -batch -nx -p {pid} -ex kill'
    expect(await tracegate('with', line, '--', '/bin/sleep', '1000')).toMatchObject({ status: 0 })
  })

  it.skipIf(perf !== undefined)(`gets its program going once it counts: perf${skipped(perf)}`, async () => {
    const line = 'perf stat -x, -e task-clock -p {pid}'
    const { status, stdout, stderr } = await tracegate('with', '--continue', line, '--', '/bin/echo', 'counted')
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'counted\n' })
    expect(stderr).toMatch(/^[\d.]+,msec,task-clock/m)
  })

  it.each([
    ['exit 0', 0],
    ['exit 3', 3],
    ['no-such-tool', 127],
    ['kill -TERM $$', 143],
  ])('gives its exit status: %s', async (script, status) => {
    for (const flags of [[], ['--continue']]) {
      const result = await tracegate('with', ...flags, `echo {pid}; ${script}`, '--', '/bin/sleep', '1000')
      expect(result.status).toBe(status)
      expect(isGone(Number(result.stdout))).toBe(true)
    }
  })

  it('gets the pid wherever its line has {pid}', async () => {
    const { stdout } = await tracegate('with', 'echo {pid} {pid} "$PWD" "$(cat /proc/{pid}/comm)"', '--', '/bin/cat')
    expect(stdout).toMatch(/^(\d+) \1 .* cat\n$/)
  })

  it('has the standard input of the command', async () => {
    const running = start(['with', 'read -r line; echo "got $line {pid}"', '--', '/bin/sleep', '1000'], {
      input: 'x\n',
    })
    expect((await running.finished).stdout).toMatch(/^got x \d+\n$/)
  })

  it('may outlast the program', async () => {
    const line = 'kill -KILL {pid}; while [ -e /proc/{pid}/exe ]; do sleep 0.01; done; echo over; exit 2'
    expect(await tracegate('with', line, '--', '/bin/sleep', '1000')).toMatchObject({ status: 2, stdout: 'over\n' })
  })
})

describeNative('the simulated system', () => {
  it('is none for hold and with: a pid that no tool knows would be some other process', async () => {
    const env = { ...process.env, TRACEGATE_SYSTEM: 'simulated' }
    const holding = start(['hold', '--', '/bin/sleep', '1000'], { env })
    const pid = await holding.heldPid
    expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('sleep\n')
    holding.process.kill('SIGTERM')
    expect((await holding.finished).status).toBe(143)
    const line = 'cat /proc/{pid}/comm'
    expect((await start(['with', line, '--', '/bin/sleep', '1000'], { env }).finished).stdout).toBe('sleep\n')
  })
})
