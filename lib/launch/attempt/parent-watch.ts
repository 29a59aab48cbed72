/** How a child in a pid namespace sees its parent's end: getppid(2) is always 0 there. */

import { constants } from '../../system/constants.ts'
import { privateCallsOf } from '../../system/private-calls.ts'
import type { System } from '../../system/system.ts'
import { firstOwn } from '../base/above-standard.ts'
import { closeOnce, OwnedFd, toBeOwned } from '../base/owned-fd.ts'

/** A pidfd of this process, above the child's `count` descriptors; undefined where the kernel has no pidfds. */
export function openParentWatch(system: System, count: number): OwnedFd | undefined {
  const calls = privateCallsOf(system)
  if (calls === undefined) return undefined
  const lowest = Math.max(firstOwn, count)
  const fd = toBeOwned(system, () => {
    const opened = calls.openPidfd(process.pid)
    if (opened < 0 || opened >= lowest) return opened
    try {
      return system.fcntl(opened, constants.F_DUPFD_CLOEXEC, lowest)
    } finally {
      closeOnce(system, opened)
    }
  })
  return fd < 0 ? undefined : new OwnedFd(system, fd)
}
