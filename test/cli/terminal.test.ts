/** The command as a job in the foreground of a terminal: keys, job control, hang-up. */

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'
import { processLimitMs } from '../support/time-limits.ts'
import { eventually, hasTool, heldIn, isGone, script, stateOf } from './command.ts'

const fixture = fileURLToPath(new URL('../fixtures/cli-terminal.py', import.meta.url))
const needs = hasTool('python3') ? undefined : 'python3 is not installed'

interface Session {
  /** Null if the shell did not live to report the status. */
  readonly status: number | null
  readonly stopped: boolean
  readonly screen: string
}

/** Runs the command on a terminal. Types a key each time a word appears on its screen. */
async function type(word: string, keys: string, ...args: readonly string[]): Promise<Session> {
  const { stdout } = await promisify(execFile)('python3', [fixture, word, keys, script, ...args], {
    timeout: processLimitMs,
    killSignal: 'SIGKILL',
  })
  return JSON.parse(stdout) as Session
}

const run = (keys: string, script: string) => type('ready', keys, 'run', '--json', '--', '/bin/sh', '-c', script)

const waits = 'while :; do sleep 0.01; done'
// Exits after two keys, so that a second signal from the first key would have arrived.
const counts = `n=0; trap 'n=$((n+1)); echo caught $n ready; [ $n = 2 ] && exit 7' INT; echo ready; ${waits}`

/** The pid that a program has printed on the screen. */
const pidOn = (screen: string) => Number(/pid (\d+)/.exec(screen)?.[1] ?? Number.NaN)

describeNative(
  'tracegate run on a terminal',
  () => {
    it('lets the program decide what Ctrl-C means, and sends it once for each key', async () => {
      const { status, screen } = await run('cc', counts)
      expect(status).toBe(7)
      expect(screen.match(/caught \d/g)).toEqual(['caught 1', 'caught 2'])
    })

    it('lets a program that handles Ctrl-Z stop itself first, and continues it once', async () => {
      const script = `
import os, signal, time
n = 0
def stop(*_):
    global n
    n += 1
    print('got', n, flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
def go_on(*_):
    print('continued', end=' ', flush=True)
    if n == 2: os._exit(4)
    print('ready', flush=True)
signal.signal(signal.SIGTSTP, stop)
signal.signal(signal.SIGCONT, go_on)
print('ready', flush=True)
while True: time.sleep(1)`
      const { status, screen } = await type('ready', 'zz', 'run', '--json', '--', 'python3', '-c', script)
      expect(status).toBe(4)
      expect(screen.replace(/\{.*/s, '').match(/got \d|continued/g)).toEqual([
        'got 1',
        'continued',
        'got 2',
        'continued',
      ])
    })

    it('ends by Ctrl-C and Ctrl-\\ with its program', async () => {
      expect((await run('c', 'echo ready; exec sleep 1000')).status).toBe(130)
      expect((await run('\\', 'ulimit -c 0; echo ready; exec sleep 1000')).status).toBe(131)
    })

    it('goes on where the program ignores Ctrl-C', async () => {
      // The terminal sends the second signal after the first.
      const script = `trap '' INT; trap 'exit 5' QUIT; echo ready ready; ${waits}`
      expect((await run('c\\', script)).status).toBe(5)
    })

    it('is stopped with its program by Ctrl-Z, and goes on with it, again and again', async () => {
      const script = `trap 'n=$((n+1)); echo ready; [ $n = 2 ] && exit 4' CONT; n=0; echo ready; ${waits}`
      expect(await run('zz', script)).toMatchObject({ status: 4, stopped: true })
    })

    it('goes on after Ctrl-Z with a program that has no handler', async () => {
      const { status, stopped } = await run('zc', `trap 'exit 6' INT; echo ready ready; ${waits}`)
      expect({ status, stopped }).toEqual({ status: 6, stopped: true })
    })

    it('ends with its program when the terminal is hung up', async () => {
      const { screen } = await run('h', 'echo pid $$ ready; exec sleep 1000')
      await eventually(() => isGone(pidOn(screen)), 'the end of the program')
    })
  },
  needs,
)

function heldOn(screen: string): number {
  const pid = heldIn(screen)
  if (pid === undefined) throw new Error(`no program is held: ${screen}`)
  return pid
}

describeNative(
  'tracegate hold on a terminal',
  () => {
    it('ends by Ctrl-C together with a program that is still held', async () => {
      const { status, screen } = await type('\n', 'c', 'hold', '--', '/bin/sleep', '1000')
      expect(status).toBe(130)
      expect(isGone(heldOn(screen))).toBe(true)
    })

    it('ends with its program when the terminal is hung up', async () => {
      const { screen } = await type('\n', 'h', 'hold', '--', '/bin/sleep', '1000')
      await eventually(() => isGone(heldOn(screen)), 'the end of the program')
    })

    it('--detach leaves the program as it is when the terminal is hung up', async () => {
      const { status, screen } = await type('\n', 'e', 'hold', '--detach', '--', '/bin/sleep', '1000')
      const pid = heldOn(screen)
      try {
        expect(status).toBe(0)
        expect(stateOf(pid)).toBe('T')
        expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^TracerPid:\t0$/m)
      } finally {
        process.kill(pid, 'SIGKILL')
      }
      await eventually(() => isGone(pid), `the end of ${pid}`)
    })
  },
  needs,
)
