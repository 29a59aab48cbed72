/** C programs for the tests, compiled once per test file into a temporary folder. */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

/** The reason why C programs cannot be compiled, or undefined. */
export const whyNoCompiler: string | undefined =
  spawnSync('cc', ['--version']).status === 0 ? undefined : 'there is no C compiler'

/** A folder that is removed after the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tracegate-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Compiles test/fixtures/NAME.c into `folder`. Returns the program's path. */
export function compile(folder: string, name: string, flags: readonly string[] = []): string {
  const program = join(folder, name + flags.join(''))
  const source = fileURLToPath(new URL(`../../fixtures/${name}.c`, import.meta.url))
  execFileSync('cc', ['-O1', '-g', '-o', program, source, ...flags], { stdio: 'pipe' })
  return program
}
