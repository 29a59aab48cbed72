/** Whether /proc may be used: in another pid namespace's /proc the same number may be another process. */

import { SystemError } from '../../system/errors.ts'
import { privateCallsOf } from '../../system/private-calls.ts'
import type { System } from '../../system/system.ts'

/** Refuses to use `path`, a file of process `pid`. @throws SystemError ENOENT */
export function requireOwnProc(system: System, path: string, pid: number): void {
  if (privateCallsOf(system)?.seesTasks?.() !== false) return
  const hint = '/proc is not mounted here, or is that of another pid namespace'
  throw new SystemError({ errno: 'ENOENT', syscall: 'open', path, pid, hint })
}
