/** A process's state in /proc. */

import { readdirSync, readFileSync } from 'node:fs'

/** The text of a /proc file, or '': its process may end at any moment. */
export function readProc(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/** The threads of a process; empty without /proc. */
export function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number)
  } catch {
    return []
  }
}

/** State letter, process group and session of a process; undefined if it is gone. */
export function processStat(pid: number): { state: string; group: number; session: number } | undefined {
  const text = readProc(`/proc/${pid}/stat`)
  // The fields follow the name, whose parentheses may contain any character.
  const [state, , group, session] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return state ? { state, group: Number(group), session: Number(session) } : undefined
}
