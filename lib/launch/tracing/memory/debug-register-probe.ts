/**
 * Whether this machine's debug registers fire. Under some hypervisors the kernel takes their settings, and no access
 * ever traps: a watch would silently never be hit.
 */

import type { ChildProgram } from '../../../system/child-program.ts'
import { constants } from '../../../system/constants.ts'
import { SystemError } from '../../../system/errors.ts'
import type { System } from '../../../system/system.ts'
import { type BriefChild, withChild } from '../../children/with-child.ts'
import { debugRegistersOf } from './machine-debug-registers.ts'

const { PTRACE_O_EXITKILL } = constants

const program: ChildProgram = {
  actions: [{ op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }, { op: 'exit', code: 0 }],
}

/** The result of the trial in this process; undefined until one was possible. */
let fire: boolean | undefined

/** Refuses to set registers that never fire. Registers that cannot be tried are trusted. */
export function refuseDeadRegisters(system: System): void {
  if (system.kind !== 'native') return
  try {
    fire ??= tryDebugRegisters(system)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
  }
  if (fire !== false) return
  throw new SystemError({
    errno: 'EOPNOTSUPP',
    syscall: 'ptrace',
    hint: 'the debug registers of this machine take settings and never fire, as in some virtual machines',
  })
}

/**
 * Tries the registers on a child of this process: for its next instruction, and for the top of its stack, which a
 * return reads and a call writes. One that fires is enough.
 *
 * @throws SystemError if it cannot be tried.
 */
export function tryDebugRegisters(system: System): boolean {
  return withChild(system, program, child => {
    if (child.wait().kind !== 'stopped') throw hasEnded(child)
    system.ptraceSetOptions(child.pid, PTRACE_O_EXITKILL)
    const { pc, sp } = system.ptraceGetRegisters(child.pid)
    const registers = debugRegistersOf(system, child.pid)
    const top = sp & ~7n
    registers.add({ address: pc, size: 1, on: 'execute' })
    registers.add({ address: top, size: 8, on: 'access' })
    registers.add({ address: top - 8n, size: 8, on: 'access' })
    registers.apply({ tid: child.pid })
    for (;;) {
      system.ptraceCont(child.pid)
      const status = child.wait()
      if (status.kind === 'exited' && status.code === 0) return false
      if (status.kind !== 'stopped') throw hasEnded(child)
      // A signal from elsewhere is dropped.
      if (status.signal === 'SIGTRAP') return true
    }
  })
}

function hasEnded({ pid }: BriefChild): SystemError {
  return new SystemError({ errno: 'ESRCH', syscall: 'ptrace', pid, hint: 'the child has ended' })
}
