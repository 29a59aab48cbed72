/** Looking for what is wrong with a run that went well to its end. */

import { findLeaks } from '../findings/leaks.ts'
import { RaceDetector } from '../findings/race-detector.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Finding } from './runner.ts'

/** The scenario does something that its world does not decide. */
export class NondeterminismError extends Error {
  override readonly name = 'NondeterminismError'
  readonly code = 'ERR_NONDETERMINISM'
}

/** Asked once the run is over. */
export interface Checks {
  finding(): Finding | null
}

/** The checks that every run is put to, from its first move on: races before leaks, which may come of them. */
export function checksOf(kernel: Kernel): Checks {
  const races = new RaceDetector(kernel)
  return {
    finding() {
      if (races.race !== undefined) return { kind: 'race', error: races.race }
      const leaks = findLeaks(kernel)
      return leaks === undefined ? null : { kind: 'leak', error: leaks }
    },
  }
}
