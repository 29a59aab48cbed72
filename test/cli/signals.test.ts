/** Signals that are sent to the command alone, and its death. */

import { expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'
import { eventually, isGone, type Running, start, stateOf } from './command.ts'

/** Counts what it gets, ends at USR1 with the count. Its pid is the first line. */
const counter = `
  n=0
  trap 'n=$((n+1)); echo got $n' TERM HUP INT QUIT
  trap 'exit $((10 + n))' USR1
  echo $$
  while :; do sleep 0.02; done`

async function startCounter(): Promise<{ running: Running; pid: number; output: () => string }> {
  const running = start(['run', '--json', '--', '/bin/sh', '-c', counter])
  let text = ''
  running.process.stdout?.on('data', (chunk: string) => {
    text += chunk
  })
  return { running, pid: Number(await running.firstLine), output: () => text }
}

describeNative('tracegate run', () => {
  it.each(['SIGTERM', 'SIGHUP'] as const)('passes %s on to its program, once', async signal => {
    const { running, pid, output } = await startCounter()
    running.process.kill(signal)
    await eventually(() => output().includes('got 1'), `${signal} in the program`)
    process.kill(pid, 'SIGUSR1')
    expect((await running.finished).status).toBe(11)
  })

  it.each(['SIGINT', 'SIGQUIT'] as const)('outlives %s, which a terminal sends to its program too', async signal => {
    const { running, pid, output } = await startCounter()
    running.process.kill(signal)
    // Taken in order: once the next is seen in the program, this one would have been.
    running.process.kill('SIGTERM')
    await eventually(() => output().includes('got 1'), 'SIGTERM in the program')
    process.kill(pid, 'SIGUSR1')
    expect((await running.finished).status).toBe(11)
  })

  it('gives what signals it as it is: one that ends the program ends the command with 128+n', async () => {
    const running = start(['run', '--json', '--', '/bin/sh', '-c', 'echo $$; exec sleep 1000'])
    process.kill(Number(await running.firstLine), 'SIGKILL')
    expect((await running.finished).status).toBe(137)
  })

  it('keeps a program stopped that is stopped, and goes on with it', async () => {
    const { running, pid, output } = await startCounter()
    process.kill(pid, 'SIGSTOP')
    await eventually(() => stateOf(pid) === 't' || stateOf(pid) === 'T', 'the stop')
    running.process.kill('SIGTERM')
    process.kill(pid, 'SIGCONT')
    await eventually(() => output().includes('got 1'), 'SIGTERM in the program')
    process.kill(pid, 'SIGUSR1')
    expect((await running.finished).status).toBe(11)
  })

  it('leaves no program behind when it is killed, stopped or not', async () => {
    for (const stopped of [false, true]) {
      const { running, pid } = await startCounter()
      if (stopped) process.kill(pid, 'SIGSTOP')
      if (stopped) await eventually(() => stateOf(pid) === 't' || stateOf(pid) === 'T', 'the stop')
      running.process.kill('SIGKILL')
      expect(await running.finished).toMatchObject({ status: null, signal: 'SIGKILL' })
      await eventually(() => isGone(pid), `the end of ${pid}`)
    }
  })
})

describeNative('tracegate hold', () => {
  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('ends with its program when it gets %s', async (signal, status) => {
    const running = start(['hold', '--', '/bin/sleep', '1000'])
    const pid = Number(await running.firstLine)
    running.process.kill(signal)
    expect((await running.finished).status).toBe(status)
    expect(isGone(pid)).toBe(true)
  })

  it('passes SIGTERM on to a program that somebody has let go', async () => {
    const running = start(['hold', '--', '/bin/sh', '-c', counter])
    const pid = Number(await running.firstLine)
    let text = ''
    running.process.stdout?.on('data', (chunk: string) => {
      text += chunk
    })
    process.kill(pid, 'SIGCONT')
    await eventually(() => text.includes(`${pid}\n`), 'the program')
    running.process.kill('SIGTERM')
    await eventually(() => text.includes('got 1'), 'SIGTERM in the program')
    process.kill(pid, 'SIGUSR1')
    expect((await running.finished).status).toBe(11)
  })
})

describeNative('tracegate with', () => {
  it('passes SIGTERM on to the tool, and cleans up the program', async () => {
    const running = start(['with', "trap 'exit 9' TERM; echo {pid}; while :; do sleep 0.02; done", '--', '/bin/cat'])
    const pid = Number(await running.firstLine)
    expect(stateOf(pid)).toBe('T')
    running.process.kill('SIGTERM')
    expect((await running.finished).status).toBe(9)
    expect(isGone(pid)).toBe(true)
  })
})
