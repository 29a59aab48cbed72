/** What /proc says of a process. */

import { readdirSync, readFileSync } from 'node:fs'

/** A file of /proc, or nothing: its process may be gone at any moment. */
export function readProc(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/** The threads of a process; none where there is no /proc. */
export function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number)
  } catch {
    return []
  }
}

/** State letter, process group and session of a process; undefined when it is gone. */
export function processStat(pid: number): { state: string; group: number; session: number } | undefined {
  const text = readProc(`/proc/${pid}/stat`)
  // Its name, in parentheses, may contain anything.
  const [state, , group, session] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return state ? { state, group: Number(group), session: Number(session) } : undefined
}
