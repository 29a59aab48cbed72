/** The doctor's reads of /proc. */

import { readdirSync } from 'node:fs'
import { contentOf } from '../native/proc.ts'

/** The number of open descriptors of this process. */
export function openDescriptors(): number {
  // One of them is the listing's own.
  return readdirSync('/proc/self/fd').length - 1
}

/** The number of this user's tasks, which RLIMIT_NPROC limits. Hidden and ending processes do not count. */
export function tasksOfUser(uid: number): number {
  let count = 0
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const status = contentOf(`/proc/${name}/status`)
    if (status === undefined || !new RegExp(`^Uid:\\s*${uid}\\s`, 'm').test(status)) continue
    count += Number(/^Threads:\s*(\d+)$/m.exec(status)?.[1] ?? 0)
  }
  return count
}
