/** The programs of every simulated system. */

import { cat } from './cat.ts'
import { echo } from './echo.ts'
import type { Program } from './program.ts'
import { sleep } from './sleep.ts'

// biome-ignore lint/correctness/useYield: it ends at once
function* exitTrue(): ReturnType<Program> {
  return 0
}

// biome-ignore lint/correctness/useYield: it ends at once
function* exitFalse(): ReturnType<Program> {
  return 1
}

/** Programs by their paths. */
export const builtinPrograms: Readonly<Record<string, Program>> = {
  '/bin/true': exitTrue,
  '/bin/false': exitFalse,
  '/bin/echo': echo,
  '/bin/cat': cat,
  '/bin/sleep': sleep,
}
