import { fileURLToPath } from 'node:url'
import { itCompilesEverythingShown } from '../support/code-blocks.ts'
import { obtain } from '../support/runtimes.ts'

// The oldest and the newest supported compiler. elsewhere/ has those in between.
itCompilesEverythingShown('5.4', await obtain('typescript54'))
itCompilesEverythingShown('6.0', {
  program: fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url)),
})
