import { itCompilesEverythingShown } from '../support/code-blocks.ts'
import { obtain } from '../support/runtimes.ts'

for (const minor of [5, 6, 7, 8, 9] as const) {
  itCompilesEverythingShown(`5.${minor}`, await obtain(`typescript5${minor}`))
}
