/** Small C programs for the tests: compiled once a file, into a folder that goes with it. */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

/** Why nothing can be compiled; undefined when it can. */
export const whyNoCompiler: string | undefined =
  spawnSync('cc', ['--version']).status === 0 ? undefined : 'there is no C compiler'

/** A folder that is removed after the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tracegate-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Compiles test/fixtures/NAME.c into `folder`; the program's path. */
export function compile(folder: string, name: string, flags: readonly string[] = []): string {
  const program = join(folder, name + flags.join(''))
  const source = fileURLToPath(new URL(`../../fixtures/${name}.c`, import.meta.url))
  execFileSync('cc', ['-O1', '-g', '-o', program, source, ...flags], { stdio: 'pipe' })
  return program
}
