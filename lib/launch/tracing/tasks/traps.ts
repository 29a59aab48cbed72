/** The cause of a SIGTRAP, by its siginfo. */

import { constants } from '../../../system/constants.ts'
import type { SignalInfo, System } from '../../../system/system.ts'

const { NT_PRSTATUS, SI_USER, TRAP_BRKPT, TRAP_TRACE } = constants

/** The si_code of a stop that the kernel reports by ptrace_notify(): SIGTRAP itself. */
const notifyCode = 5

const isArm64 = process.arch === 'arm64'

/** Whether a SIGTRAP is the kernel's, for a step or a breakpoint, which an untraced program must not get. */
export function isKernelTrap({ signal, code, pid, uid }: SignalInfo): boolean {
  if (signal !== 'SIGTRAP') return false
  // For a step that ends with a system call, arm64 sends it as kill(2) does, without a sender.
  return code > 0 || (isArm64 && code === SI_USER && pid === 0 && uid === 0)
}

/** Whether a thread at a stop of another kind has a kernel trap pending, which comes when it is resumed. */
export function isTrapPending(system: System, tid: number): boolean {
  return system.kind === 'native' && system.ptracePeekSigInfo(tid, 0, 64).some(isKernelTrap)
}

/** Whether a kernel trap ends a step. At the end of a system call, x64 has the code that arm64 has for a breakpoint. */
export function isStepTrap({ code }: SignalInfo): boolean {
  return code === TRAP_TRACE || isHandlerTrap(code) || code === (isArm64 ? SI_USER : TRAP_BRKPT)
}

/** Whether a step has ended at the first instruction of a signal handler. */
export function isHandlerTrap(code: number): boolean {
  return code === notifyCode
}

/**
 * Lets a thread step on from a step. After one that has ended with a system call, arm64 would trap once more where the
 * thread is: only writing the registers makes its state that before an instruction.
 */
export function keepStepping(system: System, tid: number): void {
  if (!isArm64 || system.kind !== 'native') return
  system.ptraceSetRegisterSet(tid, NT_PRSTATUS, system.ptraceGetRegisterSet(tid, NT_PRSTATUS))
}
