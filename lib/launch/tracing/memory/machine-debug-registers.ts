/** The debug registers of the machine that a thread runs on. */

import type { System } from '../../../system/system.ts'
import { Arm64DebugRegisters } from './arm64-debug-registers.ts'
import type { DebugRegisters } from './debug-registers.ts'
import { X64DebugRegisters } from './x64-debug-registers.ts'

export function debugRegistersOf(system: System, tid: number): DebugRegisters {
  const { architecture } = system.ptraceGetRegisters(tid)
  if (architecture === 'x64' || architecture === 'ia32') return new X64DebugRegisters(system)
  return new Arm64DebugRegisters(system, tid, architecture)
}
