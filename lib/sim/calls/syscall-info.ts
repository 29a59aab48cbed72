/** PTRACE_GET_SYSCALL_INFO of a simulated tracee. */

import { constants } from '../../system/constants.ts'
import type { SyscallInfo } from '../../system/syscall-info.ts'
import { ESRCH } from '../base/results.ts'
import { SIGTRAP } from '../base/signal-numbers.ts'
import type { Task } from '../processes/task.ts'
import { stoppedTracee } from '../processes/tracing.ts'
import { resultOf, syscallOf } from './syscall-of.ts'

const { PTRACE_EVENTMSG_SYSCALL_ENTRY } = constants

/** MAX_ERRNO: a result from -4095 to -1 is a failure, also one that the kernel turns into a restart. */
const mostErrno = 4095n

/** The call that a tracee has stopped at. Its buffers have no addresses. */
export function syscallInfo(task: Task, tid: number): SyscallInfo | number {
  const tracee = stoppedTracee(task, tid)
  if (tracee === undefined) return -ESRCH
  const { architecture, pc: instructionPointer, sp: stackPointer } = tracee.process.memory.registers(false)
  const site = { architecture, instructionPointer, stackPointer }
  const { stoppedCall } = tracee
  // Without PTRACE_O_TRACESYSGOOD the stop is not marked as that of a call.
  if (stoppedCall === null || tracee.stopInfo?.origin.code !== (SIGTRAP | 0x80)) return { ...site, phase: 'none' }
  const { request, result: returned } = stoppedCall
  if (tracee.eventMessage === PTRACE_EVENTMSG_SYSCALL_ENTRY)
    return { ...site, phase: 'entry', ...syscallOf(tracee, request) }
  const result = resultOf(request, returned)
  return { ...site, phase: 'exit', result, isError: result < 0n && result >= -mostErrno }
}
