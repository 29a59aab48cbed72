/** Debuggers and tracers that take over a program held by the command. */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'
import { processLimitMs } from '../support/time-limits.ts'
import { eventually, heldLine, skipped, start, stateOf, whyNotAttach } from './command.ts'

const gdb = whyNotAttach('gdb')
const strace = whyNotAttach('strace')

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
    const { stdout } = await promisify(execFile)('gdb', args, { timeout: processLimitMs, env })
    expect(stdout).toMatch(/_start in section \.text/)
    expect(stdout).toMatch(/exited with code 03\]/)
    expect(await running.finished).toMatchObject({ status: 3, stdout: 'from under gdb\n' })
  })

  it.skipIf(strace !== undefined)(`is seen from its first system call by strace${skipped(strace)}`, async () => {
    const running = start(['hold', '--', '/bin/sh', '-c', 'exit 5'])
    const pid = await running.heldPid
    const tool = spawn('strace', ['-p', String(pid)], { stdio: ['ignore', 'ignore', 'pipe'], timeout: processLimitMs })
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
