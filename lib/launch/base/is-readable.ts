/** The readiness of a descriptor, checked without waiting. */

import { constants } from '../../system/constants.ts'
import { isErrno } from '../../system/errors.ts'
import type { Readiness } from '../../system/system.ts'

/** Whether a read would return at once: with bytes, end of file or an error. */
export function isReadable(system: Readiness, fd: number): boolean {
  return hasEvents(system, fd, constants.POLLIN)
}

/** Whether a write would take bytes, or fail, at once. */
export function isWritable(system: Readiness, fd: number): boolean {
  return hasEvents(system, fd, constants.POLLOUT)
}

function hasEvents(system: Readiness, fd: number, events: number): boolean {
  for (;;) {
    try {
      return system.poll([{ fd, events }], 0)[0] !== 0
    } catch (error) {
      // A SIGCHLD can interrupt even a poll that does not wait.
      if (!isErrno(error, 'EINTR')) throw error
    }
  }
}
