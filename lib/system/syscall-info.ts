/** ptrace_syscall_info: a tracee's current system call, as the kernel reports it. */

import { type Architecture, architectureOfAudit } from './architecture.ts'

/** Where a tracee is, whatever its stop. */
interface CallSite {
  /** The system call's architecture: an x64 program that executes `int 0x80` makes an ia32 call. */
  readonly architecture: Architecture
  /** The program counter. */
  readonly instructionPointer: bigint
  /** The stack pointer. */
  readonly stackPointer: bigint
}

/**
 * PTRACE_GET_SYSCALL_INFO: the system call that a tracee has stopped at.
 *
 * 'entry' and 'exit' need PTRACE_O_TRACESYSGOOD. `phase` is 'none' without it, and at every other kind of stop.
 */
export type SyscallInfo = CallSite &
  (
    | {
        /** The call has not begun. */
        readonly phase: 'entry'
        /** The number of the call in its architecture's table; -1 if a tracer has cancelled it. */
        readonly number: number
        /** Its six argument registers, unsigned. */
        readonly args: bigint[]
      }
    | {
        /** The call has returned. */
        readonly phase: 'exit'
        /** What it returned, signed: a negative errno if `isError`. */
        readonly result: bigint
        /** Whether it failed. */
        readonly isError: boolean
      }
    | {
        /** A seccomp filter stopped the call (SECCOMP_RET_TRACE), before it began. */
        readonly phase: 'seccomp'
        /** The number of the call in its architecture's table. */
        readonly number: number
        /** Its six argument registers, unsigned. */
        readonly args: bigint[]
        /** The filter's SECCOMP_RET_DATA. */
        readonly data: number
      }
    | {
        /** The tracee is not at a system call, or the kernel does not say. */
        readonly phase: 'none'
      }
  )

/** sizeof(struct ptrace_syscall_info). */
export const syscallInfoBytes = 88

/** Decodes a ptrace_syscall_info. */
export function decodeSyscallInfo(bytes: Uint8Array): SyscallInfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const audit = view.getUint32(4, true)
  const architecture = architectureOfAudit(audit)
  if (architecture === undefined) throw new Error(`AUDIT_ARCH 0x${audit.toString(16)} is of no known architecture`)
  const site = {
    architecture,
    instructionPointer: view.getBigUint64(8, true),
    stackPointer: view.getBigUint64(16, true),
  }
  const call = () => ({
    number: Number(view.getBigInt64(24, true)),
    args: [32, 40, 48, 56, 64, 72].map(at => view.getBigUint64(at, true)),
  })
  switch (view.getUint8(0)) {
    case 1:
      return { ...site, phase: 'entry', ...call() }
    case 2:
      return { ...site, phase: 'exit', result: view.getBigInt64(24, true), isError: view.getUint8(32) !== 0 }
    case 3:
      return { ...site, phase: 'seccomp', ...call(), data: view.getUint32(80, true) }
    default:
      return { ...site, phase: 'none' }
  }
}
