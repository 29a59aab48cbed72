/** A program that is held in a user's terminal, and its adapter elsewhere. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { type Held, Rendezvous } from '../../lib/index.ts'
import { describeNative } from '../support/describe-native.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { pollLimitMs } from '../support/time-limits.ts'
import { openTerminal, shellLine, type Terminal } from '../support/tmux.ts'
import { eventually, hasTool, isGone, skipped, stateOf, untilItLooked, whyNotAttach } from './command.ts'

const folder = temporaryFolder()
const gdb = whyNotAttach('gdb')
const tracerOf = (pid: number) => Number(/^TracerPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

/** Fields of /proc/PID/stat from the third on. */
const stat = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')

/** Holds a program in a terminal, for an adapter that is this process. */
async function inTerminal(script: string, body: (terminal: Terminal, held: Held) => Promise<void>): Promise<void> {
  await using rendezvous = await Rendezvous.open({ timeoutMs: pollLimitMs })
  await using terminal = await openTerminal(folder)
  await terminal.type(`${shellLine(rendezvous.command('/bin/sh', ['-c', script]))}; echo "status $?"`)
  const held = await rendezvous.held
  try {
    await body(terminal, held)
  } finally {
    if (existsSync(`/proc/${held.pid}`)) await held.abort()
  }
}

const says = 'read -r name; echo "hello $name"; stty size; exit 7'

describeNative(
  'a program that is held in a terminal',
  () => {
    it('has it: foreground, window size, typed-ahead input, and its exit code is shown there', () =>
      inTerminal(says, async (terminal, held) => {
        expect(held.tty).toBe(terminal.tty)
        const [, , group, , , foreground] = stat(held.pid)
        expect(group).toBe(foreground)
        await terminal.type('ahead')
        await held.release()
        await terminal.shows('hello ahead')
        await terminal.shows(`${terminal.rows} ${terminal.columns}`)
        await terminal.shows('status 7')
        expect(await held.exited).toEqual({ code: 7, signal: null })
      }))

    it('is killed unrun by Ctrl-C, and by Ctrl-\\', async () => {
      for (const [key, status] of [
        ['C-c', 130],
        ['C-\\', 131],
      ] as const) {
        await inTerminal('echo has run', async (terminal, held) => {
          await terminal.press(key)
          await terminal.shows(`status ${status}`)
          expect(await held.exited).toEqual({ code: null, signal: 'SIGKILL' })
          await expect(held.attach()).rejects.toMatchObject({ code: 'ERR_CHILD_DIED' })
          expect(terminal.screen()).not.toMatch(/^has run/m)
        })
      }
    })

    it('stays held through Ctrl-Z and fg, as often as they come', () =>
      inTerminal(says, async (terminal, held) => {
        for (const job of [1, 2]) {
          await terminal.press('C-z')
          await eventually(() => terminal.screen().match(/Stopped/g)?.length === job, 'the stopped job')
          expect(stateOf(held.pid)).toBe('t')
          await terminal.type('fg')
          const command = tracerOf(held.pid)
          await eventually(() => stateOf(command) === 'S', 'the command')
          expect(stateOf(held.pid)).toBe('t')
        }
        await held.release()
        await terminal.type('again')
        await terminal.shows('hello again')
        expect(await held.exited).toEqual({ code: 7, signal: null })
      }))

    it('goes with its terminal', () =>
      inTerminal('echo has run', async (terminal, held) => {
        await terminal.hangUp()
        await eventually(() => isGone(held.pid), 'its end')
        expect(await held.exited).toEqual({ code: null, signal: 'SIGKILL' })
      }))

    it('runs on in its terminal when its adapter goes after the release', () =>
      inTerminal(says, async (terminal, held) => {
        await held.release()
        await terminal.type('x')
        await terminal.shows('hello x')
        await terminal.shows('status 7')
      }))

    it.skipIf(gdb !== undefined)(
      `is debugged by gdb of another session, with no SIGTTOU for either${skipped(gdb)}`,
      () =>
        inTerminal(`stty tostop; ${says}`, async (terminal, held) => {
          await held.attach()
          const args = ['-q', '-nx', '-batch', '-p', String(held.pid)]
          const commands = ['info symbol $pc', 'handle SIGSTOP nostop noprint nopass', 'continue']
          const debug = spawn('gdb', [...args, ...commands.flatMap(each => ['-ex', each])], {
            detached: true,
            stdio: ['ignore', 'pipe', 'ignore'],
          })
          let said = ''
          debug.stdout.setEncoding('utf8').on('data', (text: string) => {
            said += text
          })
          const ended = once(debug, 'close')
          await terminal.type('gdb')
          await terminal.shows('hello gdb')
          await terminal.shows('status 7')
          await ended
          expect(said).toMatch(/_start in section .*exited with code 07\]/s)
          expect(said).not.toMatch(/SIGTT|SIGSTOP,/)
        }),
    )

    it.skipIf(gdb !== undefined)(
      `is left stopped by a debugger that is killed, which its terminal shows${skipped(gdb)}`,
      () =>
        inTerminal(says, async (terminal, held) => {
          const command = tracerOf(held.pid)
          await held.attach()
          const debug = spawn('gdb', ['-q', '-nx', '-p', String(held.pid)], {
            detached: true,
            stdio: ['pipe', 'ignore', 'ignore'],
          })
          const ended = once(debug, 'exit')
          await eventually(() => tracerOf(held.pid) === debug.pid, 'gdb')
          // Only a tracer that was there at an earlier look is missed at the next one.
          await untilItLooked(command)
          debug.kill('SIGKILL')
          await ended
          await terminal.shows(`process ${held.pid} was left stopped`)
          process.kill(held.pid, 'SIGCONT')
          await terminal.type('on')
          await terminal.shows('hello on')
          await terminal.shows('status 7')
        }),
    )

    it('that cannot be started says so in the terminal and to the adapter', async () => {
      await using rendezvous = await Rendezvous.open({ timeoutMs: pollLimitMs })
      await using terminal = await openTerminal(folder)
      await terminal.type(`${shellLine(rendezvous.command('/no/such/program'))}; echo "status $?"`)
      await expect(rendezvous.held).rejects.toMatchObject({ code: 'ENOENT', path: '/no/such/program' })
      await terminal.shows("tracegate: ENOENT: no such file or directory, execve '/no/such/program'")
      await terminal.shows('status 127')
    })
  },
  hasTool('tmux') ? undefined : 'tmux is not installed',
)
