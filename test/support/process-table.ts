/** This process's children and open descriptors on Linux, read from /proc. Empty on other systems. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** A child of this process, dead or alive. */
export interface ChildSeen {
  readonly pid: number
  /** R, S, T, t, Z: the state of /proc/PID/stat. */
  readonly state: string
  readonly command: string
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}

interface ProcessStat {
  readonly command: string
  readonly state: string
  readonly parent: number
  /** The foreground group of its terminal; -1 where it has none. */
  readonly terminalGroup: number
}

/** One line of /proc/PID/stat: its fields after the command name, which may contain any byte. */
export function processStat(pid: number): ProcessStat | undefined {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1'))
  if (text === undefined) return undefined
  const end = text.lastIndexOf(')')
  const [state = '?', parent, , , , terminalGroup] = text.slice(end + 2).split(' ')
  const command = text.slice(text.indexOf('(') + 1, end)
  return { command, state, parent: Number(parent), terminalGroup: Number(terminalGroup) }
}

function childPids(): number[] {
  const threads = attempt(() => readdirSync('/proc/self/task')) ?? []
  const lists = threads.map(thread => attempt(() => readFileSync(`/proc/self/task/${thread}/children`, 'latin1')))
  if (lists.some(list => list !== undefined)) {
    return lists.flatMap(list => (list ?? '').split(' ').filter(Boolean).map(Number))
  }
  // A kernel without CONFIG_PROC_CHILDREN.
  const all = attempt(() => readdirSync('/proc')) ?? []
  return all
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => processStat(pid)?.parent === process.pid)
}

/** The children of this process, zombies included, by pid. */
export function childrenOfThisProcess(): Map<number, ChildSeen> {
  const children = new Map<number, ChildSeen>()
  for (const pid of childPids()) {
    const stat = processStat(pid)
    if (stat !== undefined) children.set(pid, { pid, state: stat.state, command: stat.command })
  }
  return children
}

/** The open descriptors of this process and their targets: 'pipe:[123]', 'socket:[123]', a path. */
export function openDescriptors(): Map<number, string> {
  const descriptors = new Map<number, string>()
  for (const name of attempt(() => readdirSync('/proc/self/fd')) ?? []) {
    const target = attempt(() => readlinkSync(`/proc/self/fd/${name}`))
    // The listing's own descriptor is open while it is read.
    if (target !== undefined && target !== `/proc/${process.pid}/fd`) descriptors.set(Number(name), target)
  }
  return descriptors
}

/** A number of /proc/self/status: Threads, VmRSS in KiB … */
export function ownStatus(field: string): number {
  const line = new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync('/proc/self/status', 'latin1'))
  return Number(line?.[1] ?? Number.NaN)
}
