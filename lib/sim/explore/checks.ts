/** Checks of a run that ended without an error: races and leaks. */

import { printable } from '../../system/printable.ts'
import { findLeaks } from '../findings/leaks.ts'
import { RaceDetector } from '../findings/race-detector.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Finding } from './runner.ts'

/** The scenario depends on something outside its world. */
export class NondeterminismError extends Error {
  override readonly name = 'NondeterminismError'
  readonly code = 'ERR_NONDETERMINISM'

  constructor(message: string, options?: ErrorOptions) {
    super(printable(message), options)
  }
}

/** Checks of one run; `finding` is called once the run is over. */
export interface Checks {
  finding(): Finding | null
}

/** The checks of every run. A race is reported before a leak, which may be its consequence. */
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
