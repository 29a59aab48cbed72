/** A short-lived child for a trial. */

import type { ChildProgram } from '../../system/child-program.ts'
import { constants } from '../../system/constants.ts'
import { isErrno } from '../../system/errors.ts'
import type { System } from '../../system/system.ts'
import type { WaitStatus } from '../../system/wait-status.ts'

const { WUNTRACED, __WALL } = constants

export interface BriefChild {
  readonly pid: number
  /** Blocks until its next stop or its end. */
  wait(): WaitStatus
}

/** Forks a child for the duration of `use`. The child is gone afterwards, even if `use` throws. */
export function withChild<T>(system: System, program: ChildProgram, use: (child: BriefChild) => T): T {
  const pid = system.fork(program)
  let isGone = false
  const wait = () => {
    for (;;) {
      try {
        // A sandbox may fake TRACEME's success. The child then stops untraced, which only WUNTRACED reports.
        const { status } = system.waitpid(pid, __WALL | WUNTRACED)!
        isGone = status.kind === 'exited' || status.kind === 'signaled'
        return status
      } catch (error) {
        // A handler without SA_RESTART, of other code in this process, must leave no child behind.
        if (isErrno(error, 'EINTR')) continue
        // Its number may belong to another process by now.
        isGone = isErrno(error, 'ECHILD')
        throw error
      }
    }
  }
  try {
    return use({ pid, wait })
  } finally {
    if (!isGone) system.kill(pid, 'SIGKILL')
    while (!isGone) wait()
  }
}
