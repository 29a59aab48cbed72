/** C programs for the tests, each in a folder of its own file: every user can be let into that. */

import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { compileFixture } from '../../support/c-program.ts'

export { whyNoCompiler } from '../../support/c-program.ts'

/** A folder that is removed after the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tracegate-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Puts a compiled test/fixtures/NAME.c into `folder`. Returns the program's path. */
export function compile(folder: string, name: string, flags: readonly string[] = []): string {
  const program = join(folder, name + flags.join(''))
  copyFileSync(compileFixture(name, ['-g', ...flags]), program)
  return program
}
