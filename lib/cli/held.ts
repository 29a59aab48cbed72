/** What /proc says of a process that was handed off: is it still held, and has a tool attached to it? */

import { readdirSync, readlinkSync } from 'node:fs'
import { readProc as read } from './proc.ts'

/** Where a program stands: its program counter and its stack pointer. */
export interface Position {
  readonly pc: bigint
  readonly sp: bigint
}

/** Whether the process is in state T, nothing traces it, and it still stands where it was held: one that was let go may stop itself. */
export function isUnrun(pid: number, start: Position): boolean {
  const status = read(`/proc/${pid}/status`)
  if (!/^State:\tT/m.test(status) || !/^TracerPid:\t0$/m.test(status)) return false
  const [, sp, pc] = / 0x([0-9a-f]+) 0x([0-9a-f]+)\n$/.exec(read(`/proc/${pid}/syscall`)) ?? []
  // The file may be refused, or not there.
  return sp === undefined || (BigInt(`0x${sp}`) === start.sp && BigInt(`0x${pc}`) === start.pc)
}

/** Whether somebody traces the process, or `tool` or a descendant of it has opened performance counters (perf does not trace). */
export function hasAttached(pid: number, tool: number): boolean {
  if (/^TracerPid:\t[1-9]/m.test(read(`/proc/${pid}/status`))) return true
  return descendants(tool).some(opensCounters)
}

function descendants(root: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const parent = /^PPid:\t(\d+)$/m.exec(/^\d/.test(name) ? read(`/proc/${name}/status`) : '')?.[1]
    if (parent !== undefined) parents.set(Number(name), Number(parent))
  }
  const found = [root]
  // The list grows while it is walked.
  for (const each of found) for (const [pid, parent] of parents) if (parent === each) found.push(pid)
  return found
}

function opensCounters(pid: number): boolean {
  try {
    const folder = `/proc/${pid}/fd`
    return readdirSync(folder).some(fd => readlinkSync(`${folder}/${fd}`) === 'anon_inode:[perf_event]')
  } catch {
    // Gone, or somebody else's.
    return false
  }
}
