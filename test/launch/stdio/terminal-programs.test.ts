/** Programs on a terminal of openPty(), typed at and read as their users do. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeNative } from '../support/native.ts'
import { until } from '../support/processes.ts'
import { onTerminal, Screen, type Typist, whyNoTmux } from '../support/screen.ts'

const without = (program: string) => spawnSync('/bin/sh', ['-c', `command -v ${program}`]).status !== 0

/** Runs the body with a shell that has job control. Then the shell exits. */
async function withBash(body: (typist: Typist, pid: number) => Promise<void>): Promise<void> {
  const { child, pty, typist } = await onTerminal('bash', ['--norc', '--noprofile', '--noediting', '-i'])
  try {
    await typist.sees(/\$ $/)
    await body(typist, child.pid)
    typist.type('exit 7\n')
    expect(await child.exited).toMatchObject({ code: 7 })
    await typist.closed()
  } finally {
    await child[Symbol.asyncDispose]()
    pty.close()
  }
}

describeNative('a shell on a terminal of its own', () => {
  it.skipIf(without('bash'))('has job control, and says nothing against it', () =>
    withBash(async typist => {
      expect(typist.text).not.toMatch(/no job control|cannot set terminal/)
      typist.type('echo $-; tty\n')
      await typist.sees(/m/)
      await typist.sees(/\/dev\/pts\/\d+/)
    }),
  )

  it.skipIf(without('bash'))('gets SIGINT by Ctrl-C, for its foreground job alone', () =>
    withBash(async typist => {
      typist.type('sleep 1000\n')
      await untilForeground(typist, 'sleep')
      typist.type('\x03')
      await typist.sees(/\^C[\s\S]*\$ $/)
      typist.type('echo status $?\n')
      await typist.sees(/status 130/)
    }),
  )

  it.skipIf(without('bash'))('stops a job by Ctrl-Z, continues it by fg, and ends it by Ctrl-\\', () =>
    withBash(async (typist, shell) => {
      typist.type('ulimit -c 0; cat\n')
      await untilForeground(typist, 'cat')
      const job = typist.pty.master.foregroundGroup
      typist.type('first\n')
      await typist.sees(/first\r\nfirst\r\n/)
      typist.type('\x1a')
      await typist.sees(/Stopped/)
      await until('the shell has the terminal', () => typist.pty.master.foregroundGroup === shell)
      typist.type('fg\n')
      await untilForeground(typist, 'cat')
      expect(typist.pty.master.foregroundGroup).toBe(job)
      typist.type('second\n')
      await typist.sees(/second\r\nsecond\r\n/)
      typist.type('\x1c')
      await typist.sees(/Quit/)
    }),
  )

  it.skipIf(without('bash'))('has its foreground job told of a new size by SIGWINCH', () =>
    withBash(async typist => {
      typist.type(`python3 -uc "import signal, os
signal.signal(signal.SIGWINCH, lambda *_: print('size', *os.get_terminal_size(0)))
print('rea' + 'dy')
while True: signal.pause()"\n`)
      await typist.sees(/ready/)
      typist.pty.master.resize(11, 22)
      await typist.sees(/size 22 11/)
      typist.pty.master.resize(33, 44)
      await typist.sees(/size 44 33/)
      typist.type('\x03')
      await typist.sees(/\$ $/)
    }),
  )

  it.skipIf(without('bash'))('stops a background job that reads, by SIGTTIN, until fg', () =>
    withBash(async typist => {
      typist.type('cat &\n')
      await typist.sees(/\[1\] \d+/)
      typist.type('sleep 0.1; jobs\n')
      await typist.sees(/Stopped.*cat/)
      typist.type('fg\n')
      await untilForeground(typist, 'cat')
      typist.type('word\n')
      await typist.sees(/word\r\nword\r\n/)
      typist.type('\x04')
      await typist.sees(/\$ $/)
    }),
  )

  it('is sent SIGHUP when its terminal is closed, and its end is seen', async () => {
    const { child, pty, typist } = await onTerminal('/bin/sh', [
      '-c',
      'trap "exit 9" HUP; echo up; while :; do sleep 0.01; done',
    ])
    await typist.sees(/up/)
    pty.close()
    expect(await child.exited).toMatchObject({ code: 9 })
  })

  it('is named as the terminal’s foreground group', async () => {
    const { child, pty, typist } = await onTerminal('/bin/sh', ['-c', 'echo up; read x'])
    await typist.sees(/up/)
    expect(pty.master.foregroundGroup).toBe(child.pid)
    typist.type('\n')
    await child.exited
    await typist.closed()
  })

  it.skipIf(process.getuid?.() !== 0)(
    'has the user, the group and the supplementary groups that it is given',
    async () => {
      const { child, typist } = await onTerminal('/bin/sh', ['-c', 'id -u; id -g; id -G; tty; echo to > /dev/tty'], {
        uid: 65534,
        gid: 65533,
        groups: [65532, 65531],
      })
      await typist.closed()
      expect(await child.exited).toMatchObject({ code: 0 })
      expect(typist.text).toMatch(/^65534\r\n65533\r\n65533 65531 65532\r\n\/dev\/pts\/\d+\r\nto\r\n$/)
    },
  )
})

async function untilForeground(typist: Typist, command: string): Promise<void> {
  await until(`${command} in the foreground`, () => {
    try {
      const group = typist.pty.master.foregroundGroup
      return readFileSync(`/proc/${group}/comm`, 'utf8').trim() === command
    } catch {
      return false
    }
  })
}

describeNative('python3', () => {
  it('has its prompt, and knows the size', async () => {
    const env = { ...process.env, TERM: 'dumb', PYTHON_BASIC_REPL: '1' }
    const { child, typist } = await onTerminal('python3', ['-q'], { env }, { rows: 12, columns: 34 })
    await typist.sees(/>>> /)
    typist.type('import os, sys; sys.stdin.isatty(), os.get_terminal_size()\n')
    await typist.sees(/True, os.terminal_size\(columns=34, lines=12\)/)
    typist.type('import time; print("in" + "side"); time.sleep(1000)\n')
    await typist.sees(/inside/)
    typist.type('\x03')
    await typist.sees(/KeyboardInterrupt\r\n>>> /)
    typist.type('\x04')
    // Of SIGINT, where Python remembers the interrupt.
    expect(['exited', 'signaled']).toContain((await child.exited).kind)
    await typist.closed()
  })
})

describeNative('full-screen programs, on a screen,', () => {
  const rows = 20
  const columns = 60
  const env = { ...process.env, TERM: 'screen', LC_ALL: 'C.UTF-8' }

  const onScreen = async (
    file: string,
    args: readonly string[],
    body: (screen: Screen, typist: Typist) => Promise<void>,
  ) => {
    const { child, pty, typist } = await onTerminal(file, args, { env }, { rows, columns })
    // Before the first byte can have come.
    using screen = new Screen(pty, rows, columns)
    try {
      await body(screen, typist)
      expect(await child.exited).toMatchObject({ code: 0 })
    } finally {
      await child[Symbol.asyncDispose]()
      pty.close()
    }
  }

  const inFolder = async (body: (file: string) => Promise<void>) => {
    const folder = mkdtempSync(join(tmpdir(), 't-'))
    const file = join(folder, 'text')
    writeFileSync(file, Array.from({ length: 100 }, (_, i) => `line ${i + 1}\n`).join(''))
    try {
      await body(file)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  it.skipIf(whyNoTmux !== undefined || without('less'))('less shows a page, then the next', () =>
    inFolder(file =>
      onScreen('less', [file], async (screen, typist) => {
        await screen.shows('the first page', lines => lines[0] === 'line 1' && lines[18] === 'line 19')
        typist.type(' ')
        await screen.shows('the second page', lines => lines[0] === 'line 20' && lines[18] === 'line 38')
        typist.type('G')
        await screen.shows('the end', lines => lines[18] === 'line 100')
        typist.type('q')
      }),
    ),
  )

  it.skipIf(whyNoTmux !== undefined || without('vim'))('vim edits a file, at the size that it is given', () =>
    inFolder(async file => {
      await onScreen('vim', ['-u', 'NONE', '-i', 'NONE', '-n', file], async (screen, typist) => {
        await screen.shows('the file', lines => lines[0] === 'line 1' && lines[18] === 'line 19')
        typist.type('Oinserted\x1b')
        await screen.shows('the new line', lines => lines[0] === 'inserted' && lines[1] === 'line 1')
        typist.pty.master.resize(10, columns)
        await screen.shows('a smaller window', lines => lines[8] === 'line 8' && !lines.includes('line 12'))
        typist.type(':wq\r')
      })
      expect(readFileSync(file, 'utf8')).toMatch(/^inserted\nline 1\n/)
    }),
  )

  it.skipIf(whyNoTmux !== undefined || without('top'))('top shows processes, and ends by q', () =>
    onScreen('top', ['-d', '1', '-n', '100'], async (screen, typist) => {
      await screen.shows('the header', lines => lines.some(line => line.startsWith('top - ')))
      await screen.shows('the list', lines => lines.some(line => /^ +PID +USER/.test(line)))
      typist.type('q')
    }),
  )
})
