/** Each example runs and prints the behaviour that it demonstrates. */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { describeNative } from './support/native.ts'
import { whyNot } from './support/node.ts'

const folder = fileURLToPath(new URL('../../examples/', import.meta.url))
const skip = whyNot('true')

async function run(example: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [folder + example, ...args], { timeout: 30_000 })
  return stdout
}

describeNative(`the example${skip === undefined ? '' : ` [skipped: ${skip}]`}`, () => {
  if (skip !== undefined) return it.skip('runs', () => {})

  it('first-instruction prints registers, memory and three steps', async () => {
    const text = await run('first-instruction.mjs')
    expect(text).toMatch(
      /^process \d+ stands at 0x[0-9a-f]+, its stack at 0x7f[0-9a-f]+\nits first bytes: [0-9a-f]{32}\n/,
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
      /fork\(\) = \d+ ─+▶ starts\n(.*\n)+.*stops at exec\n(.*\n)+.*write\(1, "hi\\n"\) = 3\n(.*\n)+.*exits with 0/,
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
      'draw-a-launch.mjs',
      'explore-a-launcher.mjs',
      'first-instruction.mjs',
      'handshake.mjs',
      'hold-for-gdb.mjs',
      'sandbox.mjs',
      'terminal.mjs',
    ])
  })
})
