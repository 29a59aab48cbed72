import { SourceMap } from 'node:module'
import { build, stop } from 'esbuild'
import { afterAll, describe, expect, it } from 'vitest'
import { compact } from '../../scripts/bundle/compact.mjs'

// Its JavaScript API leaves a process running.
afterAll(() => stop())

const source = `#!/usr/bin/env node
import { join as joined, resolve } from 'node:path'

/** A comment. */
export class Counter {
  #countOfCalls = 0
  static readonly made = new Set<Counter>()

  constructor() {
    Counter.made.add(this)
  }

  next(longParameterName: number): number {
    this.#countOfCalls++
    return this.#sumWith(longParameterName)
  }

  get #doubled(): number {
    return this.#countOfCalls * 2
  }

  #sumWith(longParameterName: number): number {
    if (longParameterName < 0) throw new RangeError('#sumWith and #countOfCalls take no negative number')
    return this.#doubled + longParameterName
  }

  static isOne(value: object): boolean {
    return #countOfCalls in value
  }
}

export function pathOf(longName: string): string {
  const isHere = import.meta.url.startsWith('data:')
  return joined('/', isHere ? longName : 'elsewhere')
}
`

describe('a compact file', async () => {
  const { outputFiles = [] } = await build({
    stdin: { contents: source, loader: 'ts', sourcefile: 'counter.ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    sourcemap: 'external',
    outfile: 'counter.js',
    write: false,
    target: 'node20.19',
  })
  const [map, code] = ['.map', '.js'].map(end => outputFiles.find(({ path }) => path.endsWith(end))!.text)
  const short = await compact(code!, map!)
  const load = () => import(`data:text/javascript,${encodeURIComponent(short.code)}`)

  it('does what it did', async () => {
    const { Counter, pathOf } = await load()
    expect(new Counter().next(5)).toBe(7)
    expect(Counter.made.size).toBe(1)
    expect([Counter.isOne(new Counter()), Counter.isOne({})]).toEqual([true, false])
    expect(pathOf('here')).toBe('/here')
  })

  it('has no comments, no long names of locals, no unused imports, and short lines', () => {
    expect(short.code).not.toMatch(/comment|longParameterName|longName|isHere|resolve/)
    expect(short.code.length).toBeLessThan(code!.length * 0.7)
    const lines = short.code.split('\n').filter(line => !line.startsWith('import'))
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(140)
    expect(short.code.startsWith('#!/usr/bin/env node\nimport')).toBe(true)
  })

  it('keeps the names of classes, functions and methods, and texts', async () => {
    const { Counter, pathOf } = await load()
    expect([Counter.name, pathOf.name]).toEqual(['Counter', 'pathOf'])
    const fail = () => new Counter().next(-1)
    expect(fail).toThrow('#sumWith and #countOfCalls take no negative number')
    const stack = (() => {
      try {
        return fail()
      } catch (error) {
        return (error as Error).stack
      }
    })()
    expect(stack).toMatch(/at #sumWith .*\n.*at Counter\.next /)
  })

  it('has a source map that leads to each line and column', () => {
    const found = new SourceMap(JSON.parse(short.map))
    for (const [text, original] of [
      ['#sumWith(', '#sumWith(longParameterName)'],
      ['new RangeError', "new RangeError('"],
      ['joined(', "joined('/'"],
    ] as const) {
      const lines = short.code.split('\n')
      const line = lines.findIndex(each => each.includes(text))
      const { originalLine, originalColumn } = found.findEntry(line, lines[line]!.indexOf(text)) as {
        originalLine: number
        originalColumn: number
      }
      expect(source.split('\n')[originalLine]!.slice(originalColumn), text).toContain(original)
    }
  })
})
