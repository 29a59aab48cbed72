/** The instructions that make a system call. */

import type { Architecture } from '../../../system/architecture.ts'

/** Enough bytes of code to tell such an instruction. */
export const callBytes = 4

/** Whether code starts with syscall, sysenter or int 0x80 of x86, or svc of arm64. */
export function isCallInstruction(code: Uint8Array, architecture: Architecture): boolean {
  const [first = 0, second = 0, third = 0, fourth = 0] = code
  if (architecture === 'arm64') return fourth === 0xd4 && (third & 0xe0) === 0 && (first & 0x1f) === 1
  if (first === 0x0f) return second === 0x05 || second === 0x34
  return first === 0xcd && second === 0x80
}
