/** The lock that allows one preparation of a clone at a time. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const url = pathToFileURL(join(import.meta.dirname, '../../scripts/lock.mjs')).href
type WithLock = <T>(
  folder: string,
  work: () => T | Promise<T>,
  options?: { limitMs?: number; say?: (text: string) => void },
) => Promise<T>
const { withLock } = (await import(url)) as { withLock: WithLock }

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tracegate-lock-'))
  file = join(folder, '.prepare-lock')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A process that holds the lock until its standard input ends. */
async function holder(): Promise<{ pid: number; let(): void; closed: Promise<unknown> }> {
  const script = `import { withLock } from '${url}'
    await withLock(process.argv[1], async () => {
      process.stdout.write('held\\n')
      for await (const _ of process.stdin);
    })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, folder])
  const closed = once(child, 'close')
  await once(child.stdout, 'data')
  return { pid: child.pid!, let: () => child.stdin.end(), closed }
}

describe('withLock', () => {
  it('runs the work and leaves nothing behind, whether it succeeds or fails', async () => {
    expect(await withLock(folder, () => readdirSync(folder))).toEqual(['.prepare-lock'])
    await expect(
      withLock(folder, () => {
        throw new Error('failed')
      }),
    ).rejects.toThrow('failed')
    expect(readdirSync(folder)).toEqual([])
  })

  it.each([
    ['empty', ''],
    ['of an older form', '4711'],
    ['no JSON', '{'],
    ['null', 'null'],
    ['of a process that is gone', JSON.stringify({ pid: 2 ** 22 + 1, started: '1' })],
    ['of a pid that is another process by now', JSON.stringify({ pid: process.pid, started: '1' })],
  ])('takes over a lock that is %s', async (_, text) => {
    writeFileSync(file, text)
    expect(await withLock(folder, () => 'done')).toBe('done')
    expect(readdirSync(folder)).toEqual([])
  })

  it('waits for a process that lives, says for which, and goes on when that is done', async () => {
    const other = await holder()
    const said: string[] = []
    const say = (text: string) => {
      said.push(text)
      other.let()
    }
    expect(await withLock(folder, () => 'done', { say })).toBe('done')
    expect(said).toEqual([`tracegate: waiting for process ${other.pid}, which prepares this clone\n`])
    await other.closed
    expect(existsSync(file)).toBe(false)
  })

  it('gives up after its limit, with an error that names the process and the file, and leaves the lock', async () => {
    const other = await holder()
    const owned = readFileSync(file, 'utf8')
    await expect(withLock(folder, () => 'done', { limitMs: 0 })).rejects.toThrow(
      `process ${other.pid} has held ${file}`,
    )
    expect(readFileSync(file, 'utf8')).toBe(owned)
    other.let()
    await other.closed
  })

  it('takes over from a process that was killed', async () => {
    const other = await holder()
    process.kill(other.pid, 'SIGKILL')
    await other.closed
    expect(await withLock(folder, () => 'done')).toBe('done')
  })
})
