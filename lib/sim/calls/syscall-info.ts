/** PTRACE_GET_SYSCALL_INFO of a simulated tracee. */

import { constants } from '../../system/constants.ts'
import type { SyscallInfo } from '../../system/syscall-info.ts'
import { ESRCH, isFailure } from '../base/results.ts'
import { SIGTRAP } from '../base/signal-numbers.ts'
import type { Task } from '../processes/task.ts'
import { stoppedTracee } from '../processes/tracing.ts'

const { PTRACE_EVENTMSG_SYSCALL_ENTRY } = constants

/** Simulated calls have no numbers. The kernel itself reports -1 for a call that a tracer has cancelled. */
const noNumber = -1

/**
 * The call a tracee has stopped at, as far as simulated programs have calls: the phase, the numeric arguments and the
 * result. Their calls have no numbers, and buffers have no addresses.
 */
export function syscallInfo(task: Task, tid: number): SyscallInfo | number {
  const tracee = stoppedTracee(task, tid)
  if (tracee === undefined) return -ESRCH
  const { architecture, pc: instructionPointer, sp: stackPointer } = tracee.process.memory.registers(false)
  const site = { architecture, instructionPointer, stackPointer }
  // Without PTRACE_O_TRACESYSGOOD the stop is not marked as that of a call.
  if (tracee.stopInfo?.origin.code !== (SIGTRAP | 0x80)) return { ...site, phase: 'none' }
  const frame = tracee.frames[tracee.frames.length - 1]
  if (tracee.eventMessage === PTRACE_EVENTMSG_SYSCALL_ENTRY) {
    const args = Array.from({ length: 6 }, (_, i) => asWord(frame?.request?.args[i]))
    return { ...site, phase: 'entry', number: noNumber, args }
  }
  const result = frame?.value
  return { ...site, phase: 'exit', result: BigInt.asIntN(64, asWord(result)), isError: isFailure(result) }
}

function asWord(value: unknown): bigint {
  return Number.isInteger(value) ? BigInt.asUintN(64, BigInt(value as number)) : 0n
}
