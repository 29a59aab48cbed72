/** Fails a system call that a seccomp filter hands to the tracer, as the kernel does if there is no tracer. */

import { constants } from '../../../system/constants.ts'
import type { System } from '../../../system/system.ts'

const { NT_ARM_SYSTEM_CALL } = constants
const ENOSYS = 38n

/** Cancels the system call of a thread at its seccomp stop: its result is ENOSYS. */
export function refuseCall(system: System, tid: number): void {
  const registers = system.ptraceGetRegisters(tid)
  switch (registers.architecture) {
    case 'x64':
      system.ptraceSetRegisters(tid, { orig_rax: minus(1n, 64), rax: minus(ENOSYS, 64) })
      break
    case 'ia32':
      system.ptraceSetRegisters(tid, { orig_eax: minus(1n, 32), eax: minus(ENOSYS, 32) })
      break
    case 'arm64':
      system.ptraceSetRegisterSet(tid, NT_ARM_SYSTEM_CALL, Uint8Array.of(255, 255, 255, 255))
      system.ptraceSetRegisters(tid, { x0: minus(ENOSYS, 64) })
      break
    case 'arm':
      system.ptraceSetRegisterSet(tid, NT_ARM_SYSTEM_CALL, Uint8Array.of(255, 255, 255, 255))
      system.ptraceSetRegisters(tid, { r0: minus(ENOSYS, 32) })
  }
}

function minus(value: bigint, bits: number): bigint {
  return BigInt.asUintN(bits, -value)
}
