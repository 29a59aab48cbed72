/** Terminals as their users see them. */

import { execFileSync, spawnSync } from 'node:child_process'
import { createWriteStream, mkdtempSync, rmSync, type WriteStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'
import { openPty, type Pty } from '../../../lib/launch/stdio/pty.ts'
import { until } from './processes.ts'

/** A terminal whose output is collected. */
export class Typist {
  readonly pty: Pty
  text = ''
  #seen = 0

  constructor(pty: Pty) {
    this.pty = pty
    pty.master.setEncoding('utf8').on('data', (chunk: string) => {
      this.text += chunk
    })
  }

  /** Waits until the pattern appears in what was printed since the last match. */
  async sees(pattern: RegExp): Promise<RegExpExecArray> {
    let found: RegExpExecArray | null = null
    await until(`${pattern} in ${JSON.stringify(this.text.slice(this.#seen))}`, () => {
      found = pattern.exec(this.text.slice(this.#seen))
      return found !== null
    })
    this.#seen += found!.index + found![0].length
    return found!
  }

  type(keys: string): void {
    this.pty.master.write(keys)
  }

  /** The end of the terminal. */
  async closed(): Promise<void> {
    const { master } = this.pty
    if (!master.closed) await new Promise(resolve => master.once('close', resolve))
  }
}

/** Starts a program as the leader of a session on a terminal of its own. */
export async function onTerminal(file: string, args: readonly string[], options: LaunchOptions = {}, size = {}) {
  const pty = openPty(size)
  const { slave } = pty
  try {
    const child = await launch(file, args, {
      env: { ...process.env, TERM: 'dumb', PS1: '$ ', PS2: '> ' },
      ...options,
      trace: false,
      stdio: [slave, slave, slave],
      controllingTerminal: slave,
    })
    return { child, pty, typist: new Typist(pty) }
  } catch (error) {
    pty.close()
    throw error
  }
}

/** The reason why there is no tmux, or undefined. */
export const whyNoTmux: string | undefined =
  spawnSync('tmux', ['-V']).status === 0 ? undefined : 'tmux is not installed'

/** A screen that interprets what a terminal prints: a pane of tmux that gets the very bytes. */
export class Screen implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tracegate-screen-'))
  readonly #input: WriteStream

  constructor(pty: Pty, rows: number, columns: number) {
    const fifo = join(this.#folder, 'bytes')
    execFileSync('mkfifo', [fifo])
    this.#tmux('new-session', '-d', '-x', `${columns}`, '-y', `${rows}`, `stty raw -echo; exec cat ${fifo}`)
    this.#tmux('set', '-g', 'status', 'off')
    // Opened for writing alone, it would wait for the reader.
    this.#input = createWriteStream(fifo, { flags: 'r+' })
    // The last bytes may find the screen gone.
    this.#input.on('error', () => {})
    pty.master.on('data', chunk => this.#input.write(chunk))
  }

  /** The lines shown, without trailing blanks. */
  get lines(): string[] {
    return this.#tmux('capture-pane', '-p')
      .split('\n')
      .map(line => line.trimEnd())
  }

  /** Waits until the screen shows it. */
  async shows(what: string, holds: (lines: readonly string[]) => boolean): Promise<void> {
    await until(`${what} on the screen:\n${this.lines.join('\n')}`, () => holds(this.lines))
  }

  [Symbol.dispose](): void {
    this.#tmux('kill-server')
    this.#input.destroy()
    rmSync(this.#folder, { recursive: true })
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-f', '/dev/null', '-S', join(this.#folder, 'tmux'), ...args], { encoding: 'utf8' })
  }
}
