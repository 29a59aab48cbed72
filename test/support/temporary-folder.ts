/** A private folder for one test file. */

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** Makes a folder with a short path, so that a socket fits, and removes it after the file's tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join('/tmp', 'tracegate-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
