/** Whether a handed-off process is still held, as /proc shows it. */

import { readProc, traceStateOf } from './proc.ts'

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
  const state = traceStateOf(pid)
  if (state?.isStopped !== true || state.tracer !== 0) return false
  const [, sp, pc] = / 0x([0-9a-f]+) 0x([0-9a-f]+)\n$/.exec(readProc(`/proc/${pid}/syscall`)) ?? []
  // The file may be unreadable or absent.
  return sp === undefined || (BigInt(`0x${sp}`) === start.sp && BigInt(`0x${pc}`) === start.pc)
}
