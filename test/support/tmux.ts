/** A terminal: a pane of tmux, with a shell in it. */

import { execFile, execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eventually } from '../cli/command.ts'

const run = promisify(execFile)
let count = 0

export interface Terminal extends AsyncDisposable {
  /** The path of the pane's terminal. */
  readonly tty: string
  readonly rows: number
  readonly columns: number
  /** Types text, and Enter. */
  type(text: string): Promise<void>
  /** Presses a key: 'C-c', 'C-z', 'Enter'. */
  press(key: string): Promise<void>
  /** What stands on the screen. */
  screen(): string
  /** Waits until the screen shows it. */
  shows(what: string | RegExp): Promise<void>
  /** Hangs up: the terminal goes away. */
  hangUp(): Promise<void>
}

/** Opens a terminal, by a tmux server of its own, whose socket stands in a folder. */
export async function openTerminal(folder: string): Promise<Terminal> {
  const [rows, columns] = [30, 110]
  const socket = join(folder, `tmux-${count++}`)
  const tmux = (...args: readonly string[]) => ['-u', '-S', socket, '-f', '/dev/null', ...args]
  const environment = { ...process.env, ENV: '', HOME: folder, TERM: 'xterm' }
  const size = ['-x', String(columns), '-y', String(rows)]
  await run('tmux', tmux('new-session', '-d', ...size, '/bin/sh'), { env: environment, cwd: '/' })
  const ask = (...args: readonly string[]) => execFileSync('tmux', tmux(...args), { encoding: 'utf8' })
  await run('tmux', tmux('set-option', '-g', 'status', 'off'))
  const [tty, server] = ask('display-message', '-p', '#{pane_tty} #{pid}').trim().split(' ')
  // -J: a line that is wrapped is one.
  const screen = () => ask('capture-pane', '-p', '-J').replaceAll(/ +$/gm, '')
  const shows = async (what: string | RegExp) => {
    try {
      await eventually(() => (typeof what === 'string' ? screen().includes(what) : what.test(screen())), String(what))
    } catch {
      throw new Error(`the screen never shows ${what}:\n${screen()}`)
    }
  }
  const hangUp = async () => {
    await run('tmux', tmux('kill-server')).catch(() => {})
    await eventually(() => !isAlive(Number(server)), 'the end of tmux')
  }
  try {
    // dash has one prompt for root, and another for users.
    await shows(/^[$#]/m)
  } catch (error) {
    await hangUp()
    throw error
  }
  return {
    tty: tty!,
    rows,
    columns,
    screen,
    shows,
    type: async text => {
      await run('tmux', tmux('send-keys', '-l', text))
      await run('tmux', tmux('send-keys', 'Enter'))
    },
    press: async key => void (await run('tmux', tmux('send-keys', key))),
    hangUp,
    [Symbol.asyncDispose]: hangUp,
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Quotes words for a shell. */
export function shellLine(words: readonly string[]): string {
  return words.map(word => (/^[\w/.:=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ')
}
