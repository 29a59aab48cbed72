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

/** Runs a module of one expression with the library at `url`; what it prints as JSON. */
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

describe('opening the native system without an addon', () => {
  it('throws ERR_NATIVE_UNAVAILABLE with every cause', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tracegate-'))
    try {
      cpSync(fileURLToPath(compiledLibrary()), join(folder, 'lib'), { recursive: true })
      cpSync(fileURLToPath(new URL('../package.json', compiledLibrary())), join(folder, 'package.json'))
      const url = pathToFileURL(`${folder}/lib/`).href
      const error = evaluate(url, 'openSystem("native")') as { code: string; message: string; causes: number }
      expect(error.code).toBe('ERR_NATIVE_UNAVAILABLE')
      expect(error.causes).toBeGreaterThan(0)
      if (process.platform === 'linux') expect(error.message).toContain('tracegate.node')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
