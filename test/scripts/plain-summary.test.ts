/** The counts and the failures of a test run, and what .ci/run ends with. */

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tracegate-summary-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Runs vitest on these files in a folder of their own, and returns the summary's lines. */
function summaryOf(files: Record<string, string>): { status: number | null; lines: string[] } {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, 'tests'), { recursive: true })
    writeFileSync(join(folder, 'tests', name), text)
  }
  const summary = join(folder, 'summary')
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      `--root=${join(folder, 'tests')}`,
      '--globals',
      '--maxWorkers=1',
      `--reporter=${join(root, 'scripts/plain-summary.mjs')}`,
    ],
    { cwd: folder, env: { PATH: process.env.PATH, TMPDIR: folder, TRACEGATE_SUMMARY: summary }, encoding: 'utf8' },
  )
  return { status, lines: readFileSync(summary, 'utf8').trimEnd().split('\n') }
}

/** Runs the end of .ci/run on these summaries; undefined is a run that wrote none. */
function sumUp(summaries: Record<string, string | undefined>): { status: number | null; stdout: string } {
  for (const [run, text] of Object.entries(summaries)) {
    if (text !== undefined) writeFileSync(join(folder, run), text)
  }
  const script = join(root, 'scripts/sum-up.mjs')
  const args = [script, folder, ...Object.keys(summaries)]
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  return { status, stdout }
}

describe('the summary of a test run', () => {
  it('is the counts alone when nothing fails', () => {
    const { status, lines } = summaryOf({ 'fine.test.js': `it('is', () => {}); it.skip('is not', () => {})` })
    expect(lines).toEqual(['1 passed, 0 failed, 1 skipped'])
    expect(status).toBe(0)
  })

  it('names each failed test with its file, its error and the place, and what fails without a test', () => {
    const { status, lines } = summaryOf({
      'sums.test.js': `describe('sums', () => {
        it('adds', () => {
          expect(1 + 1).toBe(3)
        })
        it('holds', () => {})
      })`,
      // A file that does not load, a hook, and an error outside of every test.
      'absent.test.js': `import './absent.js'`,
      'hook.test.js': `describe('hooked', () => { beforeAll(() => { throw new Error('no hook') }); it('is', () => {}) })`,
      'late.test.js': `it('is', () => { Promise.reject(new Error('too late')) })`,
      'long.test.js': `it('is', () => { throw new Error(Array.from({ length: 99 }, (_, n) => '\\u001b[31m' + n).join('\\n')) })`,
    })
    /** What is said of a failure. */
    const saidOf = (title: string) => {
      const from = lines.indexOf(`FAILED ${title}`)
      const after = lines.slice(from + 1)
      const to = after.findIndex(line => line.startsWith('FAILED '))
      return from < 0 ? undefined : after.slice(0, to < 0 ? undefined : to)
    }
    expect(status).toBe(1)
    expect(lines[0]).toBe('2 passed, 5 failed, 1 skipped')
    const sum = saidOf('sums.test.js > sums > adds')
    expect(sum?.[0]).toBe('  AssertionError: expected 2 to be 3 // Object.is equality')
    expect(sum).toContain('  - 3')
    expect(sum?.at(-1)).toBe('  at sums.test.js:3:25')
    expect(lines).toContain('FAILED absent.test.js')
    expect(saidOf('hook.test.js > hooked')?.[0]).toBe('  Error: no hook')
    expect(saidOf('outside of every test')?.[0]).toBe('  Error: too late')
    // The first lines of a long error, without colours.
    const long = saidOf('long.test.js > is')
    expect(long?.slice(0, 2)).toEqual(['  Error: 0', '  1'])
    expect(long?.slice(-3, -1)).toEqual(['  29', '  ...'])
  })
})

describe('the end of .ci/run', () => {
  it('is the sum of the tests', () => {
    expect(sumUp({ quick: '3 passed, 0 failed, 1 skipped\n', long: '40 passed, 0 failed, 0 skipped\n' })).toEqual({
      status: 0,
      stdout: '43 passed, 0 failed, 1 skipped\n',
    })
  })

  it('is what failed in which run, then the sum', () => {
    const quick = '3 passed, 1 failed, 1 skipped\nFAILED a.test.ts > is\n  Error: no\n'
    expect(sumUp({ quick, long: '40 passed, 0 failed, 0 skipped\n' })).toEqual({
      status: 1,
      stdout: 'FAILED quick: a.test.ts > is\n  Error: no\n43 passed, 1 failed, 1 skipped\n',
    })
  })

  it('counts a run that wrote no summary, or a torn one, as failed', () => {
    expect(sumUp({ quick: '3 passed, 0 failed, 1 skipped\n', long: undefined, consumers: '4 pas' })).toEqual({
      status: 1,
      stdout:
        'FAILED long: it ended without a summary\nFAILED consumers: it ended without a summary\n' +
        '3 passed, 2 failed, 1 skipped\n',
    })
  })
})
