/** What the kernel says of a process, and waiting for it where the kernel sends no event. */

import { readdirSync, readFileSync } from 'node:fs'
import { processStat } from '../../support/process-table.ts'

/** The state of a process as in /proc/PID/stat: R, S, D, T (stopped), t (held by its tracer), Z; 'gone' when there is none. */
export function stateOf(pid: number): string {
  return processStat(pid)?.state ?? 'gone'
}

/** The number behind a name in /proc/PID/status: TracerPid, Threads … */
export function statusOf(pid: number, field: string): number {
  const text = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1])
}

const deadlineMs = 20_000

/** Asks again and again until the answer is yes. Throws, saying what was waited for, after a long while. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 1))
  }
}

/** Waits for a process to be in one of these states. */
export async function untilState(pid: number, states: string): Promise<void> {
  await until(`process ${pid} in one of the states ${states}; it is in ${stateOf(pid)}`, () =>
    states.includes(stateOf(pid)),
  )
}

/** Of a process: its parent, its process group and its session. */
function belonging(pid: number | 'self'): { parent: number; group: number; session: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [, parent, group, session] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { parent: Number(parent), group: Number(group), session: Number(session) }
  } catch {
    return undefined
  }
}

/**
 * Whether this process's group is orphaned: no member has a parent in another group of the session. The default action of SIGTSTP, SIGTTIN
 * and SIGTTOU is then to do nothing, for its children too.
 */
export function isGroupOrphaned(): boolean {
  const own = belonging('self')!
  return !readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(name => belonging(Number(name)))
    .filter(member => member?.group === own.group)
    .map(member => belonging(member!.parent))
    .some(parent => parent !== undefined && parent.group !== own.group && parent.session === own.session)
}
