/** Host calls inside the code of a simulated program: they would act as the host in the middle of another's step. */

import { ProgramError } from '../base/program-error.ts'
import type { Kernel } from './kernel.ts'

/** @throws ProgramError while a task takes its step; `remedy` is what its program has to write. */
export function checkHostActs({ acting, host }: Kernel, what: string, remedy = 'yield* process.read(…)'): void {
  if (acting === host) return
  throw new ProgramError(
    `${what} is made in the code of ${acting.label}: a program makes the calls of its own process, as in ${remedy}`,
  )
}
