/** A process's state from the kernel, and polling for it, as the kernel sends no event. */

import { readdirSync, readFileSync } from 'node:fs'
import { processStat } from '../../support/process-table.ts'
import { pollLimitMs } from '../../support/time-limits.ts'

/**
 * The state of a process as in /proc/PID/stat: R, S, D, T (stopped), t (ptrace stop), Z. 'gone' if there is no
 * such process.
 */
export function stateOf(pid: number): string {
  return processStat(pid)?.state ?? 'gone'
}

/** The number behind a name in /proc/PID/status: TracerPid, Threads … */
export function statusOf(pid: number, field: string): number {
  const text = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1])
}

/** The processes of a program, by the path and the last argument that they were started with; zombies are none. */
export function running(program: string, lastArgument?: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
        return words.startsWith(`${program}\0`) && (lastArgument === undefined || words.endsWith(`\0${lastArgument}\0`))
      } catch {
        return false
      }
    })
}

/** Polls until the condition holds. Throws after a long while, and names what never came. */
export async function until(what: string | (() => string), holds: () => boolean): Promise<void> {
  const end = performance.now() + pollLimitMs
  while (!holds()) {
    if (performance.now() > end)
      throw new Error(`not within ${pollLimitMs} ms: ${typeof what === 'string' ? what : what()}`)
    await new Promise(resolve => setTimeout(resolve, 1))
  }
}

/** Polls until a process is in one of these states. */
export async function untilState(pid: number, states: string): Promise<void> {
  const what = () => `process ${pid} in one of the states ${states}; it is in ${stateOf(pid)}`
  await until(what, () => states.includes(stateOf(pid)))
}

/**
 * Polls until a process waits in its vfork. A page that another process is about to have read puts one in state D, too:
 * the child must be there.
 */
export async function untilInVfork(pid: number): Promise<void> {
  const hasChild = () =>
    readdirSync('/proc').some(name => /^\d+$/.test(name) && belonging(Number(name))?.parent === pid)
  await until('it waits in its vfork', () => stateOf(pid) === 'D' && hasChild() && stateOf(pid) === 'D')
}

/** A process's parent, process group and session. */
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
 * Whether this process's group is orphaned: no member has a parent in another group of the session. SIGTSTP,
 * SIGTTIN and SIGTTOU then have no default effect on it, nor on its children.
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
