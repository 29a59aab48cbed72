/** Signals sent to the command alone, and the command's death. */

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { searchAddon } from '../../lib/native/load-addon.ts'
import { signalNumber } from '../../lib/system/signals.ts'
import { isGroupOrphaned } from '../launch/support/processes.ts'
import { compileSource, whyNoCompiler } from '../support/c-program.ts'
import { describeNative } from '../support/describe-native.ts'
import { eventually, heldLine, isGone, type Running, script, start, startProgram, stateOf } from './command.ts'

/** Counts its signals, and exits at USR1 with the count. Its pid is the first line. */
const counter = `
  n=0
  trap 'n=$((n+1)); echo got $n' TERM HUP INT QUIT
  trap 'exit $((10 + n))' USR1
  echo $$
  while :; do sleep 0.02; done`

const loop = 'while :; do sleep 0.02; done'

function outputOf(running: Running): () => string {
  let text = ''
  running.process.stdout?.on('data', (chunk: string) => {
    text += chunk
  })
  return () => text
}

async function startCounter(): Promise<{ running: Running; pid: number; output: () => string }> {
  const running = start(['run', '--json', '--', '/bin/sh', '-c', counter])
  let text = ''
  running.process.stdout?.on('data', (chunk: string) => {
    text += chunk
  })
  return { running, pid: Number(await running.firstLine), output: () => text }
}

describeNative('tracegate run', () => {
  const sent = ['HUP', 'INT', 'QUIT', 'ABRT', 'USR1', 'USR2', 'PIPE', 'ALRM', 'TERM', 'CONT', 'WINCH', 'PWR'] as const
  const signals = [...sent.map(name => `SIG${name}` as const), 'SIGRTMIN', 'SIGRTMIN+7', 'SIGRTMAX'] as const

  it('passes each signal on to its program, once', async () => {
    const numbers = signals.map(signal => signalNumber(signal)!)
    const traps = numbers.map(number => `trap 'echo got ${number}' ${number}`).join('; ')
    const running = start(['run', '--json', '--', '/bin/sh', '-c', `${traps}; trap 'exit 11' VTALRM; echo $$; ${loop}`])
    const output = outputOf(running)
    const pid = Number(await running.firstLine)
    for (const number of numbers) {
      process.kill(running.process.pid!, number)
      await eventually(() => output().includes(`got ${number}\n`), `signal ${number} in the program`)
    }
    // Ends the program behind what came before, so that a duplicate would have been printed.
    process.kill(pid, 'SIGVTALRM')
    expect((await running.finished).status).toBe(11)
    expect(output().trim().split('\n').slice(1)).toEqual(numbers.map(number => `got ${number}`))
  })

  it.skipIf(whyNoCompiler !== undefined)(
    'passes every one of many real-time signals on, in their order, each with its value',
    async () => {
      const receiver = compileSource(
        'signal-values',
        `#define _GNU_SOURCE
      #include <signal.h>
      #include <stdio.h>
      int main(void) {
        sigset_t set; siginfo_t info; long last = 0;
        sigemptyset(&set); sigaddset(&set, SIGRTMIN); sigprocmask(SIG_BLOCK, &set, 0);
        puts("ready"); fflush(stdout);
        for (int i = 0; i < 100; i++) { sigwaitinfo(&set, &info); if ((long)info.si_value.sival_ptr != ++last << 33) return 1; }
        return 3;
      }`,
      )
      const running = start(['run', '--json', '--', receiver])
      await running.firstLine
      const { addon } = searchAddon()
      for (let value = 1; value <= 100; value++) addon!.queueSignal(running.process.pid!, 34, 0, value << 1)
      expect((await running.finished).status).toBe(3)
    },
  )

  // In an orphaned group the kernel discards these.
  it.skipIf(isGroupOrphaned()).each(['SIGTSTP', 'SIGTTIN', 'SIGTTOU'] as const)(
    'stops with its program at %s, and goes on with it',
    async signal => {
      const { running, pid, output } = await startCounter()
      const command = running.process.pid!
      running.process.kill(signal)
      await eventually(() => stateOf(command) === 'T', 'the stop of the command')
      expect(stateOf(pid)).toMatch(/^[tT]$/)
      running.process.kill('SIGCONT')
      running.process.kill('SIGTERM')
      await eventually(() => output().includes('got 1'), 'SIGTERM in the program')
      process.kill(pid, 'SIGUSR1')
      expect((await running.finished).status).toBe(11)
    },
  )

  it('ends a program by a signal whose default is that, and itself with 128+n', async () => {
    for (const signal of ['SIGINT', 'SIGUSR1', 'SIGUSR2', 'SIGALRM'] as const) {
      const running = start(['run', '--json', '--', '/bin/sh', '-c', 'echo $$; exec sleep 1000'])
      await running.firstLine
      running.process.kill(signal)
      expect((await running.finished).status).toBe(128 + signalNumber(signal)!)
    }
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
  const endings = [
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGQUIT', 131],
  ] as const
  it.each(endings)('kills a program that was not let go, unrun, when it gets %s', async (signal, status) => {
    const running = start(['hold', '--', '/bin/sh', '-c', 'echo ran'])
    const pid = await running.heldPid
    running.process.kill(signal)
    const { stdout, stderr, ...rest } = await running.finished
    expect({ status: rest.status, stdout }).toEqual({ status, stdout: '' })
    expect(stderr).toBe(
      `${heldLine('/bin/sh', pid)}tracegate: process ${pid} was killed by ${signal} before it was let go: it has not run\n`,
    )
    expect(isGone(pid)).toBe(true)
  })

  it('kills it also where SIGINT is ignored', async () => {
    const line = `trap '' INT; exec '${script}' hold -- /bin/sh -c 'echo ran'`
    const running = startProgram('/bin/sh', ['-c', line])
    await running.heldPid
    running.process.kill('SIGINT')
    expect(await running.finished).toMatchObject({ status: 130, stdout: '' })
  })

  it('outlives a hang-up under nohup, and the program stays held', async () => {
    const line = `trap '' HUP; exec '${script}' hold -- /bin/sh -c 'echo ran'`
    const running = startProgram('/bin/sh', ['-c', line])
    const pid = await running.heldPid
    running.process.kill('SIGHUP')
    running.process.kill('SIGUSR1')
    await eventually(() => /^ShdPnd:\s+0*200$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')), 'the second signal')
    expect(stateOf(pid)).toBe('T')
    process.kill(pid, 'SIGCONT')
    expect(await running.finished).toMatchObject({ status: 138, stdout: '' })
  })

  it('passes SIGTERM on to a program that SIGCONT has released', async () => {
    const running = start(['hold', '--', '/bin/sh', '-c', counter])
    const pid = await running.heldPid
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
