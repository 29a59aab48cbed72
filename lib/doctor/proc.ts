/** What the doctor reads of /proc. */

import { readdirSync, readFileSync } from 'node:fs'

/** A file's text; undefined where it is not there or may not be read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** How many descriptors this process has open. */
export function openDescriptors(): number {
  // One of them is the folder being read.
  return readdirSync('/proc/self/fd').length - 1
}

/** The number of tasks of this user, which RLIMIT_NPROC limits. Processes that are hidden, or end meanwhile, are not counted. */
export function tasksOfUser(uid: number): number {
  let count = 0
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const status = readText(`/proc/${name}/status`)
    if (status === undefined || !new RegExp(`^Uid:\\s*${uid}\\s`, 'm').test(status)) continue
    count += Number(/^Threads:\s*(\d+)$/m.exec(status)?.[1] ?? 0)
  }
  return count
}
