/** The package's examples and the code of its pages, compiled under strict settings. */

import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Project } from './project.ts'
import { type Obtained, skipped } from './runtimes.ts'

const types = fileURLToPath(new URL('../../../node_modules/@types/node', import.meta.url))

/** The JavaScript and TypeScript blocks of a page, in order. */
function codeBlocks(page: string): string[] {
  return [...page.matchAll(/^```(?:[jt]s|m[jt]s|javascript|typescript)\n(.*?)^```/gms)].map(([, code]) => code!)
}

/** Declares the tests that this version of TypeScript compiles every block, every example and the declarations. */
export function itCompilesEverythingShown(version: string, compiler: Obtained): void {
  describe.skipIf(compiler.whyNot !== undefined)(`TypeScript ${version}${skipped(compiler)}`, () => {
    let project: Project
    beforeAll(async () => {
      project = await Project.installed()
      mkdirSync(project.path('node_modules/@types'))
      symlinkSync(types, project.path('node_modules/@types/node'))
      project.write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['shown', 'examples'] }))
    })
    afterAll(() => project.remove())

    const tsc = (...args: readonly string[]) => project.run(process.execPath, [compiler.program!, ...args])

    it('is that version', async () => {
      expect((await tsc('--version')).stdout).toMatch(new RegExp(`^Version ${version.replaceAll('.', '\\.')}\\.`))
    })

    it('compiles every block, every example and the declarations under strict, and refuses what is wrong', async () => {
      expect(writeShown(project)).toBeGreaterThan(2)
      project.write(
        'shown/wrong.mts',
        "import { launch } from 'tracegate'\nawait launch('/bin/true', { exitkill: 1 })\n",
      )
      const { stdout } = await tsc('--project', '.', '--pretty', 'false')
      // An error of several overloads goes on in lines that are indented.
      const faults = stdout.split('\n').filter(line => /^\S/.test(line))
      expect(faults.filter(line => !line.startsWith('shown/wrong.mts(2,'))).toEqual([])
      expect(faults).toHaveLength(1)
    })
  })
}

const compilerOptions = {
  noEmit: true,
  strict: true,
  skipLibCheck: false,
  target: 'es2022',
  module: 'nodenext',
  types: ['node'],
  checkJs: true,
}

/** Writes the installed package's code blocks into the project as modules. Returns their number. */
function writeShown(project: Project): number {
  const installed = project.path('node_modules/tracegate')
  const shown = new Map<string, string>()
  // Each block of the README stands alone. A page of docs/ is one program from top to end.
  const readme = readFileSync(`${installed}/README.md`, 'utf8')
  for (const [i, code] of codeBlocks(readme).entries()) shown.set(`README-${i + 1}`, code)
  for (const page of readdirSync(`${installed}/docs`).filter(name => name.endsWith('.md'))) {
    const code = codeBlocks(readFileSync(`${installed}/docs/${page}`, 'utf8')).join('\n')
    if (code !== '') shown.set(page.replace(/\.md$/, ''), code)
  }
  for (const [name, code] of shown) project.write(`shown/${name}.mts`, code)
  cpSync(`${installed}/examples`, project.path('examples'), { recursive: true })
  return shown.size
}
