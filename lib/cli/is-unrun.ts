/** Whether a handed-off process is still held, as /proc shows it. */

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
