/** A step over a breakpoint, and the instructions that a single step runs otherwise than the program alone would. */

import type { Architecture } from '../../../system/architecture.ts'
import type { System } from '../../../system/system.ts'
import type { Going } from '../tasks/resumption.ts'
import type { Task } from '../tasks/task.ts'

/** A step over a breakpoint. */
export interface StepOver {
  readonly task: Task
  readonly address: bigint
  readonly going: Going
  readonly start: () => void
  /** The stack pointer at the breakpoint, if the step delivers a signal. */
  readonly sp: bigint | null
  hasStarted: boolean
}

/** Whether a step over a breakpoint waits for a task to stop. */
export function isAwaited(task: Task): boolean {
  return !task.isStopped && !task.hasEnded && !task.isUnborn && !task.isInVfork
}

/** Enough bytes of code to recognize the instruction of a system call. */
export const callBytes = 4

/** Whether code starts with syscall, sysenter or int 0x80 of x86, or svc of arm64. */
export function isCallInstruction(code: Uint8Array, architecture: Architecture): boolean {
  const [first = 0, second = 0, third = 0, fourth = 0] = code
  if (architecture === 'arm64') return fourth === 0xd4 && (third & 0xe0) === 0 && (first & 0x1f) === 1
  if (first === 0x0f) return second === 0x05 || second === 0x34
  return first === 0xcd && second === 0x80
}

const pushf = 0x9c
/** In the second byte of the flags. */
const trapFlag = 1

/**
 * Clears the trap flag of a step in the flags that the step's pushf has put on the stack: a popf would set it again,
 * and the program would end by SIGTRAP. `code`: that of the instruction at `address`.
 */
export function clearPushedTrapFlag(
  system: System,
  tid: number,
  { address, code, now }: { address: bigint; code: Uint8Array | undefined; now: { pc: bigint; sp: bigint } },
): void {
  // Not at the first instruction of a signal handler.
  if (code?.[0] !== pushf || now.pc !== address + 1n) return
  const [flags = 0] = system.readMemory(tid, now.sp + 1n, 1)
  if ((flags & trapFlag) !== 0) system.writeMemory(tid, now.sp + 1n, Uint8Array.of(flags & ~trapFlag))
}
