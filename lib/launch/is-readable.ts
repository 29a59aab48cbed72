/** What a descriptor can do at once, asked without waiting. */

import { constants } from '../system/constants.ts'
import { isErrno } from '../system/errors.ts'
import type { Readiness } from '../system/system.ts'

/** Whether a read of the descriptor would give something at once: bytes, end of file or an error. */
export function isReadable(system: Readiness, fd: number): boolean {
  return hasEvents(system, fd, constants.POLLIN)
}

/** Whether a write to the descriptor would take something, or fail, at once. */
export function isWritable(system: Readiness, fd: number): boolean {
  return hasEvents(system, fd, constants.POLLOUT)
}

function hasEvents(system: Readiness, fd: number, events: number): boolean {
  for (;;) {
    try {
      return system.poll([{ fd, events }], 0)[0] !== 0
    } catch (error) {
      // Even a poll that does not wait is interrupted, by a SIGCHLD that is just due.
      if (!isErrno(error, 'EINTR')) throw error
    }
  }
}
