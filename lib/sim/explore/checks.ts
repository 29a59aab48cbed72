/** Looking for what is wrong with a run that went well to its end. */

import type { Kernel } from '../kernel.ts'
import type { Finding } from './run.ts'

/** The scenario does something that its world does not decide. */
export class NondeterminismError extends Error {
  override readonly name = 'NondeterminismError'
  readonly code = 'ERR_NONDETERMINISM'
}

/** Asked once the run is over. */
export interface Checks {
  finding(): Finding | null
}

/** The checks that every run is put to. */
export function checksOf(_kernel: Kernel): Checks | undefined {
  return undefined
}
