/** What the explorations of this folder run: test/support/compiled-imports.ts says why. */

import { describe, expect, it } from 'vitest'
import { launch } from '../../lib/launch/launch.ts'
import { explore } from '../../lib/sim/index.ts'

describe('an exploration', () => {
  // As Vite compiles it, an import is a property of an object of this name.
  it.skipIf(process.env.VITEST_MODE === 'WATCH').each([explore, launch])('runs $name() as Node loads it', code => {
    expect(String(code)).not.toContain('__vi_import')
  })
})
