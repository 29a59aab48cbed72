/** Exit statuses, in a shell's convention. */

import { ChildDiedError, SystemError, TimedOutError } from '../system/errors.ts'
import { signalNumber } from '../system/signals.ts'
import type { ExitStatus } from '../system/wait-status.ts'

/** The exit status at a deadline, as in timeout(1). */
export const timedOut = 124

/** The child's own exit code, or 128+n for signal n. */
export function exitCodeOf(exit: ExitStatus): number {
  return exit.kind === 'exited' ? exit.code : 128 + (signalNumber(exit.signal) ?? 0)
}

/**
 * The exit status of a failed launch, as in env(1) and timeout(1). 127: not found; 126: not executable; 125: other
 * failures. It is 128+n if signal n came first, 124 if the deadline did.
 */
export function exitCodeOfFailure(error: unknown): number {
  if (error instanceof ChildDiedError && error.status.kind === 'signaled') return exitCodeOf(error.status)
  if (error instanceof TimedOutError) return timedOut
  if (!(error instanceof SystemError) || error.step !== 'execve') return 125
  return error.code === 'ENOENT' ? 127 : 126
}
