/** The registers of a tracee that runs 64-bit x86 code. */

import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import type { Registers } from '../../../lib/system/registers.ts'

export function x64Registers(tracee: Tracee): Extract<Registers, { architecture: 'x64' }> {
  const registers = tracee.registers()
  if (registers.architecture !== 'x64') throw new Error(`the tracee is ${registers.architecture}`)
  return registers
}
