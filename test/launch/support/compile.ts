/** C programs for the tests, each a copy of its own in a temporary folder: a test may change its mode or owner. */

import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileFixture } from '../../support/c-program.ts'

export { whyNoCompiler } from '../../support/c-program.ts'
export { temporaryFolder } from '../../support/temporary-folder.ts'

/** Compiles test/fixtures/NAME.c into `folder`. Returns the program's path. */
export function compile(folder: string, name: string, flags: readonly string[] = []): string {
  const program = join(folder, name + flags.join('').replaceAll('/', '-'))
  copyFileSync(compileFixture(name, ['-g', ...flags]), program)
  return program
}
