/** Each example runs and prints the behaviour that it demonstrates. */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { compileFixture } from '../support/c-program.ts'
import { processLimitMs } from '../support/time-limits.ts'
import { describeWatching } from './support/debug-registers.ts'
import { describeNative } from './support/native.ts'
import { whyNot } from './support/node.ts'

const folder = fileURLToPath(new URL('../../examples/', import.meta.url))
const skip = whyNot('true')

function runBoth(example: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(process.execPath, [folder + example, ...args], { timeout: processLimitMs })
}

async function run(example: string, ...args: string[]): Promise<string> {
  return (await runBoth(example, ...args)).stdout
}

describeNative(`the example${skip === undefined ? '' : ` [skipped: ${skip}]`}`, () => {
  if (skip !== undefined) return it.skip('runs', () => {})

  it('first-instruction prints registers, memory and three steps', async () => {
    const text = await run('first-instruction.mjs')
    expect(text).toMatch(
      /^process \d+ stands at 0x[0-9a-f]+, its stack at 0x[7f][0-9a-f]+\nits first bytes: [0-9a-f]{32}\n/,
    )
    expect(text).toMatch(/after step 3: 0x[0-9a-f]+\nits exit code: 0\n$/)
  })

  it('handshake shows a child that is traced before any wait for it', async () => {
    const text = await run('handshake.mjs')
    expect(text.split('\n').toSorted()).toEqual(
      ['', 'hello from the child', 'it has ended', 'it stopped with SIGTRAP', 'the child is traced'].toSorted(),
    )
  })

  it('count-syscalls counts the calls of a program', async () => {
    const text = await run('count-syscalls.mjs', '/bin/cat', '/dev/null')
    const counts = [...text.matchAll(/^call \d+: (\d+)$/gm)].map(([, count]) => Number(count))
    expect(counts.length).toBeGreaterThan(5)
    expect(text).toContain(`in all: ${counts.reduce((sum, count) => sum + count, 0)}\n`)
  })

  it('strace shows the system calls of a program and of what it starts, with names, arguments and results', async () => {
    const { stdout, stderr } = await runBoth('strace.mjs', '-f', 'sh', '-c', '/bin/echo hi; exit 3').catch(
      (error: { code: number; stdout: string; stderr: string }) => {
        expect(error.code).toBe(3)
        return error
      },
    )
    expect(stdout).toBe('hi\n')
    expect(stderr).toMatch(/^(\d+) write\(1, 0x[0-9a-f]+, 3, .*\) = 3$/m)
    expect(stderr).toMatch(/^\d+ (open|openat)\(.*\) = -1 ENOENT$/m)
    expect(new Set(stderr.match(/^\d+/gm)).size).toBe(2)
    expect(stderr).toMatch(/\+\+\+ exited with 3 \+\+\+\n$/)
  })

  it('exec-tree draws the processes that a command starts, each below the one that started it', async () => {
    const text = await run('exec-tree.mjs', 'sh', '-c', '(/bin/echo hi | cat); :')
    expect(text).toMatch(/^\d+ sh -c .*\n {2}\d+ \(a copy of its parent\)\n( {4}\d+ (\/bin\/echo hi|cat)\n){2}$/)
  })

  /** What the example of a debugger prints for these commands, until its program ends. */
  async function debugged(...commands: string[]): Promise<string> {
    const program = compileFixture('debugged', ['-O0', '-g', '-pthread'])
    const child = spawn(process.execPath, [`${folder}debugger.mjs`, program], { stdio: ['pipe', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', chunk => {
      text += chunk
    })
    child.stdin.end(`${[...commands, ...Array(12).fill('c')].join('\n')}\n`)
    expect(await once(child, 'close')).toEqual([7, null])
    expect(text).toMatch(/counter 6\n(.*\n)*exited with 7\n$/)
    return text
  }

  it('debugger stops threads at a function, and steps', async () => {
    const text = await debugged('break work', 'c', 'threads', 'memory counter 4', 'step 2', 'x', 'delete work')
    expect(text).toMatch(/^> breakpoint at 0x[0-9a-f]+ in work\+0$/m)
    expect(text).toMatch(/^> thread \d+: breakpoint, 0x[0-9a-f]+ in work\+0$/m)
    expect(text).toMatch(/^> 00000000$/m)
    expect(text).toMatch(/^> 0x[0-9a-f]+ in work\+[1-9]\d*$/m)
    expect(text).toContain('unknown command: x')
  })

  describeWatching('debugger', () => {
    it('watches a variable', async () => {
      const text = await debugged('break work', 'c', 'watch counter', 'delete work', 'c', 'step 2')
      expect(text).toMatch(/: 0x[0-9a-f]+ was written, 0x[0-9a-f]+ in \w+\+\d+$/m)
    })
  })

  it('explore-a-launcher finds the fault of one launcher, and none in the other', async () => {
    const text = await run('explore-a-launcher.mjs')
    expect(text).toMatch(/^hasty: error: Expected values to be strictly equal/)
    expect(text).toMatch(/▲ error: .*\n/)
    expect(text).toContain('\nreplayed: error\n')
    expect(text).toMatch(/\npatient: nothing found in \d+ schedules, complete: true\n$/)
  })

  it('draw-a-launch prints each process’s calls, from the fork to the end', async () => {
    const text = await run('draw-a-launch.mjs')
    expect(text).toMatch(
      /fork\(\) = \d+ ─+▶ starts\n(.*\n)+.*stops at exec\n(.*\n)+.*write\(1, "hi\\n"\) = 3\n(.*\n)*.*exits with 0/,
    )
  })

  it('hold-for-gdb holds a program until SIGCONT', async () => {
    const child = spawn(process.execPath, [`${folder}hold-for-gdb.mjs`, '/bin/echo', 'let go'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.on('data', chunk => {
      text += chunk
      const held = /kill -CONT (\d+)/.exec(text)
      if (held !== null && !text.includes('let go')) process.kill(Number(held[1]), 'SIGCONT')
    })
    expect(await once(child, 'close')).toEqual([0, null])
    expect(text).toMatch(/^held: gdb -p \d+ .*\nlet go\nended: 0\n$/)
  })

  it('terminal runs a program on a terminal of its own, typed by standard input', async () => {
    const child = spawn(process.execPath, [`${folder}terminal.mjs`, 'sh'], { stdio: ['pipe', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', chunk => {
      text += chunk
    })
    child.stdin.end('test -t 0 && stty size\nexit 3\n')
    expect(await once(child, 'close')).toEqual([0, null])
    expect(text).toMatch(/24 80\r\n/)
    expect(text).toMatch(/sh has ended: 3\n$/)
  })

  it('of every kind is run here', () => {
    expect(
      readdirSync(folder)
        .filter(name => name.endsWith('.mjs'))
        .toSorted(),
    ).toEqual([
      'count-syscalls.mjs',
      'debugger.mjs',
      'draw-a-launch.mjs',
      'exec-tree.mjs',
      'explore-a-launcher.mjs',
      'first-instruction.mjs',
      'handshake.mjs',
      'hold-for-gdb.mjs',
      'sandbox.mjs',
      'strace.mjs',
      'terminal.mjs',
    ])
  })
})
