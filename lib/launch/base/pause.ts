/** A short pause of the thread while it polls for a change that raises no event. */

import { isErrno } from '../../system/errors.ts'
import type { System } from '../../system/system.ts'

/** Blocks for `ms` milliseconds, or until a signal comes: SIGCHLD, for one, ends poll(2) with EINTR. */
export function pause(system: System, ms: number): void {
  try {
    system.poll([], ms)
  } catch (error) {
    if (!isErrno(error, 'EINTR')) throw error
  }
}
