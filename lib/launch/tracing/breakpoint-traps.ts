/** Which stops are for a breakpoint, by what the kernel says of their SIGTRAP. */

import type { System } from '../../system/system.ts'
import type { StopStatus, Trap } from '../../system/wait-status.ts'
import { type Breakpoints, pcBehindTrap } from './breakpoints.ts'
import type { Task } from './task.ts'

// si_code of a SIGTRAP.
const siKernel = 0x80
const trapBrkpt = 1
const trapTrace = 2
/** ptrace_notify() gives the signal as its code. */
const sigtrap = 5

/** Whether a step has ended at the first instruction of a signal handler: ptrace_notify() tells that stop. */
export function isAtHandler(system: System, tid: number): boolean {
  return system.ptraceGetSigInfo(tid).code === sigtrap
}

/** The breakpoint that a stop is for; 'stale' for one that is no more, or that a signal handler has returned to. */
export function trapOfBreakpoint(
  system: System,
  breakpoints: Breakpoints,
  task: Task,
  status: StopStatus,
): Trap | 'stale' | undefined {
  if (status.event !== undefined || status.signal !== 'SIGTRAP') return undefined
  const { code } = system.ptraceGetSigInfo(task.tid)
  const hasStepped = (code === trapTrace || code === sigtrap) && task.resumption.going === 'step'
  if (code !== siKernel && code !== trapBrkpt && !hasStepped) return undefined
  const { pc, sp, architecture } = system.ptraceGetRegisters(task.tid)
  // A step comes to the breakpoint without its trap.
  if (hasStepped) return breakpoints.has(pc) ? { kind: 'breakpoint', address: pc } : undefined
  const address = pcBehindTrap(pc, architecture)
  const isThere = breakpoints.has(address)
  if (!isThere && !breakpoints.wasAt(task.tid, address)) return undefined
  if (address !== pc) system.ptraceSetRegisters(task.tid, { pc: address })
  const { returnsTo } = task
  task.returnsTo = null
  if (!isThere || (returnsTo?.address === address && returnsTo.sp === sp)) return 'stale'
  return { kind: 'breakpoint', address }
}
