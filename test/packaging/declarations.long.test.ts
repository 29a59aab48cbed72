/** The published declarations, checked with all that they use. */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const dist = fileURLToPath(new URL('../../dist/', import.meta.url))
const entries = ['index.d.ts', 'sim/index.d.ts']
const isBuilt = entries.every(entry => existsSync(resolve(dist, entry)))

describe.skipIf(!isBuilt)(`the published declarations${isBuilt ? '' : ' [skipped: the package is not built]'}`, () => {
  it('are valid for a consumer that checks its libraries', () => {
    const program = ts.createProgram(
      entries.map(entry => resolve(dist, entry)),
      {
        target: ts.ScriptTarget.ES2023,
        lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        types: ['node'],
      },
    )
    const wrong = ts
      .getPreEmitDiagnostics(program)
      .filter(({ file }) => file?.fileName.startsWith(dist) !== false)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
    expect(wrong).toEqual([])
  })
})
