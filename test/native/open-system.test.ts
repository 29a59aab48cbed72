import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openSystem } from '../../lib/open-system.ts'
import { thrown } from '../contract/helpers.ts'
import { compiledLibrary } from '../support/compiled-library.ts'
import { describeNative } from '../support/describe-native.ts'

/** Runs a module of one expression with the library at `url`. Returns its output, parsed as JSON. */
function evaluate(url: string, expression: string, environment: Record<string, string> = {}): unknown {
  const script = `
    const { openSystem } = await import(${JSON.stringify(`${url}open-system.js`)})
    const attempt = action => { try { return action() } catch (error) { return { code: error.code, message: error.message, causes: error.causes?.length } } }
    console.log(JSON.stringify(attempt(() => ${expression})))`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return JSON.parse(output)
}

describeNative('opening the native system', () => {
  it('gives the same one each time', () => {
    expect(openSystem('native').kind).toBe('native')
    expect(openSystem('native')).toBe(openSystem('native'))
  })

  it('is what auto means here, unless the environment says otherwise', () => {
    const auto = { TRACEGATE_SYSTEM: '' }
    expect(evaluate(compiledLibrary(), 'openSystem().kind', auto)).toBe('native')
    expect(evaluate(compiledLibrary(), 'openSystem("auto") === openSystem("native")', auto)).toBe(true)
    expect(evaluate(compiledLibrary(), 'openSystem().kind', { TRACEGATE_SYSTEM: 'native' })).toBe('native')
  })

  it('a choice that there is not is refused', () => {
    expect(thrown(() => openSystem('imagined' as never))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    expect(evaluate(compiledLibrary(), 'openSystem()', { TRACEGATE_SYSTEM: 'imagined' })).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
    })
  })
})

/** Calls `use` with the URL of a copy of the library without an addon beside it. */
function withoutAddon(use: (url: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'tracegate-'))
  try {
    cpSync(fileURLToPath(compiledLibrary()), join(folder, 'lib'), { recursive: true })
    cpSync(fileURLToPath(new URL('../package.json', compiledLibrary())), join(folder, 'package.json'))
    use(pathToFileURL(`${folder}/lib/`).href)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('opening the simulated system', () => {
  it('gives a fresh world each time, and the same one as auto', () => {
    expect(openSystem('simulated').kind).toBe('simulated')
    expect(openSystem('simulated')).not.toBe(openSystem('simulated'))
    const asked = { TRACEGATE_SYSTEM: 'simulated' }
    expect(evaluate(compiledLibrary(), 'openSystem().kind', asked)).toBe('simulated')
    expect(evaluate(compiledLibrary(), 'openSystem() === openSystem("auto")', asked)).toBe(true)
  })

  it('is what auto falls back to without an addon, with one warning that says why', () => {
    withoutAddon(url => {
      const warnings = `(process.emitWarning = (text, options) => (globalThis.seen ??= []).push([options.code, text]),
        openSystem(), openSystem(), { kind: openSystem().kind, same: openSystem() === openSystem(), seen })`
      const { kind, same, seen } = evaluate(url, warnings, { TRACEGATE_SYSTEM: '' }) as {
        kind: string
        same: boolean
        seen: [code: string, text: string][]
      }
      expect({ kind, same }).toEqual({ kind: 'simulated', same: true })
      expect(seen).toHaveLength(1)
      expect(seen[0]![0]).toBe('TRACEGATE_SIMULATED')
      expect(seen[0]![1]).toContain('tracegate.node')
    })
  })

  it('gives no warning when it was asked for', () => {
    const warnings = '(process.emitWarning = () => { throw new Error("warned") }, openSystem().kind)'
    withoutAddon(url => expect(evaluate(url, warnings, { TRACEGATE_SYSTEM: 'simulated' })).toBe('simulated'))
  })
})

describe('opening the native system without an addon', () => {
  it('throws ERR_NATIVE_UNAVAILABLE with every cause', () => {
    withoutAddon(url => {
      const error = evaluate(url, 'openSystem("native")') as { code: string; message: string; causes: number }
      expect(error.code).toBe('ERR_NATIVE_UNAVAILABLE')
      expect(error.causes).toBeGreaterThan(0)
      if (process.platform === 'linux') expect(error.message).toContain('tracegate.node')
    })
  })
})
