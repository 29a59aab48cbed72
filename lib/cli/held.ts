/** The state of a handed-off process in /proc: whether it is still held, and whether a tool has attached. */

import { readdirSync, readlinkSync } from 'node:fs'
import { readProc as read } from './proc.ts'

/** A program's position: its program counter and stack pointer. */
export interface Position {
  readonly pc: bigint
  readonly sp: bigint
}

/**
 * Whether the process is in state T, untraced, and still at its held position. A process that was released may stop
 * itself, elsewhere.
 */
export function isUnrun(pid: number, start: Position): boolean {
  const status = read(`/proc/${pid}/status`)
  if (!/^State:\tT/m.test(status) || !/^TracerPid:\t0$/m.test(status)) return false
  const [, sp, pc] = / 0x([0-9a-f]+) 0x([0-9a-f]+)\n$/.exec(read(`/proc/${pid}/syscall`)) ?? []
  // The file may be unreadable or absent.
  return sp === undefined || (BigInt(`0x${sp}`) === start.sp && BigInt(`0x${pc}`) === start.pc)
}

/**
 * Whether the process has a tracer, or `tool` or a descendant of it has opened performance counters (perf does not
 * trace).
 */
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
  // `found` grows during the loop.
  for (const each of found) for (const [pid, parent] of parents) if (parent === each) found.push(pid)
  return found
}

function opensCounters(pid: number): boolean {
  try {
    const folder = `/proc/${pid}/fd`
    return readdirSync(folder).some(fd => readlinkSync(`${folder}/${fd}`) === 'anon_inode:[perf_event]')
  } catch {
    // The process is gone, or belongs to another user.
    return false
  }
}
