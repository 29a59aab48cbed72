/** Which stops are for a breakpoint, by the siginfo of their SIGTRAP. */

import { constants } from '../../../system/constants.ts'
import type { System } from '../../../system/system.ts'
import type { StopStatus, Trap } from '../../../system/wait-status.ts'
import type { Task } from '../tasks/task.ts'
import { type Breakpoints, pcBehindTrap } from './breakpoints.ts'

const { SI_KERNEL, TRAP_BRKPT, TRAP_TRACE } = constants

/** The si_code of a stop that the kernel reports by ptrace_notify(): SIGTRAP itself. */
const notifyCode = 5

/** Whether a step has ended at the first instruction of a signal handler: the kernel reports it by ptrace_notify(). */
export function isAtHandler(system: System, tid: number): boolean {
  return system.ptraceGetSigInfo(tid).code === notifyCode
}

/**
 * Whether a SIGTRAP with this si_code ends a single step. On x86, TRAP_BRKPT does: it is the step over a system call's
 * instruction, and int3 has SI_KERNEL. Elsewhere TRAP_BRKPT is the breakpoint instruction's.
 */
export function isStepEnd(code: number, isX86: boolean): boolean {
  return code === TRAP_TRACE || code === notifyCode || (isX86 && code === TRAP_BRKPT)
}

/** The breakpoint that a stop is for; 'stale' if it was removed, or if a signal handler has just returned to it. */
export function trapOfBreakpoint(
  system: System,
  breakpoints: Breakpoints,
  task: Task,
  status: StopStatus,
): Trap | 'stale' | undefined {
  if (status.event !== undefined || status.signal !== 'SIGTRAP') return undefined
  const { code } = system.ptraceGetSigInfo(task.tid)
  const isStepping = task.resumption.going === 'step'
  if (code !== SI_KERNEL && code !== TRAP_BRKPT && !(isStepping && isStepEnd(code, false))) return undefined
  const { pc, sp, architecture } = system.ptraceGetRegisters(task.tid)
  const address = pcBehindTrap(pc, architecture)
  // A step that ends at a breakpoint has not run its trap.
  if (isStepping && isStepEnd(code, address !== pc)) {
    return breakpoints.has(pc) ? { kind: 'breakpoint', address: pc } : undefined
  }
  const isThere = breakpoints.has(address)
  if (!isThere && !breakpoints.wasAt(task.tid, address)) return undefined
  if (address !== pc) system.ptraceSetRegisters(task.tid, { pc: address })
  const { returnsTo } = task
  task.returnsTo = null
  if (!isThere || (returnsTo?.address === address && returnsTo.sp === sp)) return 'stale'
  return { kind: 'breakpoint', address }
}
