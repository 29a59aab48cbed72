/** The pages in docs/: their code runs, from the top of a page to its end, and prints what they say. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { explore } from '../lib/sim/index.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = readdirSync(`${root}docs`).filter(name => name.endsWith('.md'))
const read = (page: string) => readFileSync(`${root}docs/${page}`, 'utf8')

/** The code blocks of a language, in order. */
function blocks(page: string, language: string): string[] {
  return [...read(page).matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code!)
}

/** JavaScript of TypeScript, which Node 20 does not read. */
function withoutTypes(code: string): string {
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
  return ts.transpileModule(code, { compilerOptions }).outputText
}

/** A line of a timeline or of anything else, without what moves when a launch makes one call more: line numbers, numbers of objects, padding. */
const essence = (line: string) =>
  line
    .replace(/^ *\d+ {2}/, '')
    .replaceAll(/\d+/g, 'N')
    .replaceAll(/[ ─]+/g, ' ')
    .trim()

/** The lines that are shown and were not printed, in this order. */
function missingFrom(output: string, shown: string): string[] {
  const printed = output.split('\n').map(essence)
  let at = -1
  return shown
    .trimEnd()
    .split('\n')
    .filter(line => {
      const found = printed.indexOf(essence(line), at + 1)
      if (found >= 0) at = found
      return found < 0
    })
}

describe.each(pages)('docs/%s', page => {
  it('has code that runs and prints what the page shows', () => {
    const code = withoutTypes(blocks(page, '[jt]s').join('\n'))
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', code], {
      cwd: root,
      encoding: 'utf8',
      timeout: 55_000,
    })
    for (const shown of blocks(page, 'text')) expect(missingFrom(output, shown)).toEqual([])
    expect(output).not.toMatch(/^not ok/m)
  })

  it('names files that there are', () => {
    const links = [...read(page).matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path!)
    for (const link of links) expect(existsSync(join(root, 'docs', dirname(page), link)), link).toBe(true)
  })
})

describe('docs/testing-your-launcher.md', () => {
  it('has the picture that its example draws', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tracegate-docs-'))
    try {
      const file = join(folder, 'drawn.svg')
      execFileSync(process.execPath, [`${root}examples/explore-a-launcher.mjs`, file], { timeout: 55_000 })
      const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text).join('\n')
      const shown = texts(read('a-hasty-launcher.svg'))
      expect(shown.split('\n').length).toBeGreaterThan(20)
      expect(missingFrom(texts(readFileSync(file, 'utf8')), shown)).toEqual([])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  /** The first column of the table whose heading has this word. */
  const column = (heading: string) => {
    const table = read('testing-your-launcher.md').split(`| ${heading} `)[1]!.split('\n\n')[0]!
    return [...table.matchAll(/^\| `'?([\w-]+)'?` \|/gm)].map(([, name]) => name!)
  }

  it('has the strategies that there are', async () => {
    const strategies = column('`strategy`')
    expect(strategies.length).toBeGreaterThan(3)
    for (const strategy of strategies) {
      const { failure } = await explore(() => {}, { strategy: strategy as 'bounded', maxSchedules: 1 })
      expect(failure).toBeUndefined()
    }
    const refused = explore(() => {}, { strategy: 'other' as 'bounded' })
    await expect(refused).rejects.toThrow(`'${strategies.join("', '")}'`)
  })
})
