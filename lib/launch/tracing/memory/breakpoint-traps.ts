/** Which stops are for a breakpoint, by the siginfo of their SIGTRAP. */

import { constants } from '../../../system/constants.ts'
import type { System } from '../../../system/system.ts'
import type { StopStatus, Trap } from '../../../system/wait-status.ts'
import type { Task } from '../tasks/task.ts'
import { isHandlerTrap, isKernelTrap, isStepTrap } from '../tasks/traps.ts'
import { type Breakpoints, trapAddress } from './breakpoints.ts'

const { SI_KERNEL, TRAP_BRKPT } = constants

/** Whether a step has ended at the first instruction of a signal handler: the kernel reports it by ptrace_notify(). */
export function isAtHandler(system: System, tid: number): boolean {
  return isHandlerTrap(system.ptraceGetSigInfo(tid).code)
}

/** The breakpoint that a stop is for; 'stale' if it was removed, or if a signal handler has just returned to it. */
export function trapOfBreakpoint(
  system: System,
  breakpoints: Breakpoints,
  task: Task,
  status: StopStatus,
): Trap | 'stale' | undefined {
  if (status.event !== undefined || status.signal !== 'SIGTRAP') return undefined
  const info = system.ptraceGetSigInfo(task.tid)
  if (!isKernelTrap(info)) return undefined
  const hasStepped = task.resumption.going === 'step' && isStepTrap(info)
  if (info.code !== SI_KERNEL && info.code !== TRAP_BRKPT && !hasStepped) return undefined
  const { pc, sp, architecture } = system.ptraceGetRegisters(task.tid)
  // A step that ends at a breakpoint has not run its trap.
  if (hasStepped) return breakpoints.has(pc) ? { kind: 'breakpoint', address: pc } : undefined
  const address = trapAddress(pc, architecture)
  const isThere = breakpoints.has(address)
  if (!isThere && !breakpoints.wasAt(task.tid, address)) return undefined
  if (address !== pc) system.ptraceSetRegisters(task.tid, { pc: address })
  const { returnsTo } = task
  task.returnsTo = null
  if (!isThere || (returnsTo?.address === address && returnsTo.sp === sp)) return 'stale'
  return { kind: 'breakpoint', address }
}
