/** C programs of test/fixtures, compiled on first use and cached. */

import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder } from './run-folder.ts'

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))
const cache = cacheFolder()

function findCompiler(): string | undefined {
  return ['cc', 'gcc', 'clang'].find(name => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0)
}

const compiler = findCompiler()

/** Undefined if C programs can be compiled, else the reason in one line. */
export const whyNoCompiler: string | undefined = compiler === undefined ? 'there is no C compiler' : undefined

/** Compiles C source text. Returns the path of the program. */
export function compileSource(name: string, source: string, options: readonly string[] = []): string {
  if (compiler === undefined) throw new Error(whyNoCompiler)
  const key = createHash('sha256')
    .update(JSON.stringify([compiler, source, options]))
    .digest('hex')
    .slice(0, 16)
  const program = join(cache, `${name}-${key}`)
  if (existsSync(program)) return program
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  const unfinished = `${program}.${process.pid}`
  execFileSync(compiler, ['-O1', '-Wall', '-x', 'c', '-', '-o', unfinished, ...options], {
    input: source,
    stdio: 'pipe',
  })
  // A rename is atomic: another test file may be compiling the same program.
  renameSync(unfinished, program)
  return program
}

/** Compiles test/fixtures/NAME.c. Returns the path of the program. */
export function compileFixture(name: string, options: readonly string[] = []): string {
  return compileSource(name, readFileSync(join(fixtures, `${name}.c`), 'utf8'), options)
}
