import { execFileSync } from 'node:child_process'
import { SourceMap } from 'node:module'
import { describe, expect, it } from 'vitest'
import { asModule, inPlaceOfImport, once } from '../../scripts/bundle/once.mjs'

const code = `class Trouble extends Error{}function raise(){throw new Trouble("here")}
let count=0;var next=()=>++count;
export { Trouble, next as following, raise };
`
// The first line is that of trouble.ts.
const map = JSON.stringify({ version: 3, sources: ['../../lib/system/trouble.ts'], names: [], mappings: 'AAAA' })

const shared = once({ code, map })
const module = asModule(shared)
const entry = inPlaceOfImport(
  {
    code: `import { join } from "node:path";
import { Trouble, following as after } from "./shared/system.js";
var made=[Trouble,after()];
`,
    map: JSON.stringify({ version: 3, sources: ['../lib/index.ts'], names: [], mappings: ';;AAAA' }),
  },
  shared,
  { from: 'shared/system.js', to: 'index.js', imported: './shared/system.js' },
)

/** Runs both forms in a process of their own. Says whether they have one class, and the number that each was given. */
function run(first: 'module' | 'entry', prepare = ''): { isOneClass: boolean; numbers: number[] } {
  const ofModule = `${module.code.replace('export var', 'var')}; classes.push(Trouble); numbers.push(following())`
  const ofEntry = `${entry.code.replace(/^import.*$/m, '')}; classes.push(made[0]); numbers.push(made[1])`
  const both = [ofModule, ofEntry].map(text => `(() => { ${text} })();`)
  if (first === 'entry') both.reverse()
  const result = '{ isOneClass: classes[0] === classes[1], numbers }'
  const text = `const classes = [], numbers = []; ${prepare}; ${both.join('\n')} console.log(JSON.stringify(${result}))`
  return JSON.parse(execFileSync(process.execPath, ['--eval', text], { encoding: 'utf8' }))
}

describe('code that several published files contain', () => {
  it.each(['module', 'entry'] as const)('runs once where the %s is loaded first', first => {
    expect(run(first)).toEqual({ isOneClass: true, numbers: [1, 2] })
  })

  it('runs in each file where the global object takes no properties', () => {
    expect(run('module', 'Object.preventExtensions(globalThis)')).toEqual({ isOneClass: false, numbers: [1, 1] })
  })

  it('is apart from other code of the same names', () => {
    const key = (text: string) => /Symbol\.for\("([^"]*)"\)/.exec(text)?.[1]
    const other = once({ code: code.replace('here', 'there'), map })
    expect(key(asModule(other).code)).toMatch(/^tracegate [0-9a-f]{16}$/)
    expect(key(asModule(other).code)).not.toBe(key(module.code))
  })

  it('takes the place of the import alone', () => {
    const lines = entry.code.split('\n')
    expect(lines[0]).toBe('import { join } from "node:path";')
    expect(lines[1]).toMatch(/^var \{ Trouble, following:after \}=/)
    expect(lines.at(-2)).toBe('var made=[Trouble,after()];')
  })

  it('keeps its lines and those around it in the source maps', () => {
    const found = (made: { code: string; map: string }, text: string) => {
      const line = made.code.split('\n').findIndex(each => each.startsWith(text))
      return new SourceMap(JSON.parse(made.map)).findEntry(line, 0)
    }
    const trouble = { originalLine: 0, originalColumn: 0 }
    expect(found(module, 'class Trouble')).toMatchObject({ ...trouble, originalSource: '../../lib/system/trouble.ts' })
    expect(found(entry, 'class Trouble')).toMatchObject({ ...trouble, originalSource: '../lib/system/trouble.ts' })
    expect(found(entry, 'var made')).toMatchObject({ ...trouble, originalSource: '../lib/index.ts' })
  })
})
