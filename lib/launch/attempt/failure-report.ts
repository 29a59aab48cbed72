/** The failure record of a launched child: which of its actions has failed, and the error that says so. */

import type { ChildAction, ChildOp, ChildReport } from '../../system/child-program.ts'
import { describeErrno } from '../../system/errno.ts'
import { SystemError } from '../../system/errors.ts'
import { privateCallsOf } from '../../system/private-calls.ts'
import type { System } from '../../system/system.ts'
import type { Handshake } from '../channel/handshake.ts'
import type { LaunchPlan } from '../options/plan.ts'
import { hintOf } from '../options/step-hints.ts'

/** Drops the record of a child without a channel. Until then the memory that holds the record is not reused. */
export function dropReport(system: System, pid: number): void {
  privateCallsOf(system)?.takeReport(pid)
}

/**
 * The error of the record that a child has left before its end, if any: on its channel, or in memory if it has none.
 * Returned, never thrown: other listeners need the child's end.
 */
export function reportedError(
  plan: LaunchPlan,
  actions: readonly ChildAction[],
  pid: number,
  handshake: Handshake | undefined,
): unknown {
  try {
    handshake?.drain()
    const report = handshake === undefined ? privateCallsOf(plan.system)?.takeReport(pid) : handshake.report
    return report && stepError(plan, actions, report, pid)
  } catch (error) {
    return error
  }
}

/** The system call of an action, if its name differs from the action's. */
const syscalls: { readonly [op in ChildOp]?: string } = {
  traceme: 'ptrace',
  dup2: 'dup3',
  setBlocking: 'fcntl',
  closeAllExcept: 'close_range',
  parentDeathSignal: 'prctl',
  raise: 'tgkill',
  ignoreSignals: 'rt_sigaction',
  signalMask: 'rt_sigprocmask',
  processGroup: 'setpgid',
  controllingTerminal: 'ioctl',
  foreground: 'ioctl',
  cgroup: 'write',
  rlimits: 'setrlimit',
  nice: 'setpriority',
  oomScoreAdj: 'write',
  affinity: 'sched_setaffinity',
  aslr: 'personality',
  namespaces: 'unshare',
  groups: 'setgroups',
  gid: 'setresgid',
  uid: 'setresuid',
  tracer: 'prctl',
  noNewPrivileges: 'prctl',
  seccomp: 'prctl',
}

/** The error for a failure record. */
function stepError(plan: LaunchPlan, actions: readonly ChildAction[], report: ChildReport, pid: number): SystemError {
  const action = actions[report.action]
  if (action === undefined) throw new RangeError(`a failure record names action ${report.action} of ${actions.length}`)
  const step = action.op
  const path = action.op === 'execve' ? plan.file : 'path' in action ? action.path : undefined
  const { errno } = report
  return new SystemError({
    errno,
    syscall: syscalls[step] ?? step,
    step,
    path,
    pid,
    hint: hintOf(plan, action, describeErrno(errno).code),
  })
}
