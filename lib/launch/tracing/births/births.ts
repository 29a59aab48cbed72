/** What a birth has made: a thread or a process, in its creator's memory or its own; and what its first stop means. */

import { constants } from '../../../system/constants.ts'
import { isErrno } from '../../../system/errors.ts'
import type { Registers } from '../../../system/registers.ts'
import { signalNumber, standardSignals } from '../../../system/signals.ts'
import type { System } from '../../../system/system.ts'
import type { StopEvent, StopStatus, WaitStatus } from '../../../system/wait-status.ts'
import type { Tracing } from '../tasks/options.ts'

const { PTRACE_O_TRACECLONE, PTRACE_O_TRACEFORK, PTRACE_O_TRACEVFORK } = constants

const optionOf: { readonly [Event in StopEvent]?: number } = {
  clone: PTRACE_O_TRACECLONE,
  fork: PTRACE_O_TRACEFORK,
  vfork: PTRACE_O_TRACEVFORK,
}

/** Whether an event announces a birth that these options ask for. */
export function isBirth(event: StopEvent | undefined, options: number): boolean {
  return event !== undefined && ((optionOf[event] ?? 0) & options) !== 0
}

/** Whether a task is a thread of a process. The event does not say: 'clone' may be a process, and 'fork' a thread. */
export function isThreadOf(system: System, pid: number, tid: number): boolean {
  try {
    system.tgkill(pid, tid, 0)
    return true
  } catch (error) {
    // EPERM: it exists, and has changed its user.
    if (isErrno(error, 'EPERM')) return true
    if (isErrno(error, 'ESRCH')) return false
    throw error
  }
}

/** What a newborn's first stop was. */
export interface FirstStop {
  /** A stop that came in place of the newborn's own: to be shown after the birth. */
  readonly heldBack: StopStatus | null
  /** Whether the SIGSTOP of the birth may still come. */
  readonly isBirthStopDue: boolean
}

/**
 * The first stop of any kind is the birth. A seized newborn traps before it takes a signal. Under 'traceme' a newborn
 * has a SIGSTOP pending: signals of lower numbers come before it, and a SIGCONT drops it.
 */
export function firstStop(status: StopStatus, tracing: Tracing): FirstStop {
  if (tracing === 'seize') return { heldBack: status.event === 'stop' ? null : status, isBirthStopDue: false }
  if (status.event === undefined && status.signal === 'SIGSTOP') return { heldBack: null, isBirthStopDue: false }
  const number = signalNumber(status.signal) ?? 0
  const isBirthStopDue = status.event === undefined && status.signal !== 'SIGCONT' && number < standardSignals.SIGSTOP
  return { heldBack: status, isBirthStopDue }
}

/** How a newborn is traced, by its first stop. */
export function tracingOf(first: WaitStatus): Tracing {
  return first.kind === 'stopped' && first.event === 'stop' ? 'seize' : 'traceme'
}

/** Whether a SIGSTOP is that of a birth: the kernel sends it, without a sender. */
export function isBirthSignal(system: System, tid: number, status: StopStatus): boolean {
  if (status.event !== undefined || status.signal !== 'SIGSTOP') return false
  try {
    const { code, pid = 0 } = system.ptraceGetSigInfo(tid)
    return code === 0 && pid === 0
  } catch (error) {
    if (isErrno(error, 'EINVAL', 'ESRCH')) return false
    throw error
  }
}

const CLONE_VM = 0x100n

/** Whether the system call of a creator, at its birth event, has the child share its memory: vfork, or CLONE_VM. */
export function sharesMemory(registers: Registers, read: (address: bigint) => bigint): boolean {
  switch (registers.architecture) {
    case 'x64':
      return byNumber(registers.orig_rax, registers.rdi, { vfork: 58n, clone: 56n, clone3: 435n }, read)
    case 'ia32':
      return byNumber(registers.orig_eax, registers.ebx, { vfork: 190n, clone: 120n, clone3: 435n }, read)
    case 'arm64':
      return byNumber(registers.x8, registers.x0, { vfork: -1n, clone: 220n, clone3: 435n }, read)
    case 'arm':
      return byNumber(registers.r7, registers.orig_r0, { vfork: 190n, clone: 120n, clone3: 435n }, read)
  }
}

function byNumber(
  number: bigint,
  argument: bigint,
  calls: { readonly vfork: bigint; readonly clone: bigint; readonly clone3: bigint },
  read: (address: bigint) => bigint,
): boolean {
  if (number === calls.vfork) return true
  if (number === calls.clone) return (argument & CLONE_VM) !== 0n
  return number === calls.clone3 && (read(argument) & CLONE_VM) !== 0n
}
