/** The child's side of a launch: its actions, in the order that leaves no orphan, and the errors of failed ones. */

import type { ChildAction, ChildOp, ChildReport } from '../system/child-program.ts'
import { describeErrno } from '../system/errno.ts'
import { SystemError } from '../system/errors.ts'
import { privateCallsOf } from '../system/private-calls.ts'
import type { LaunchPlan } from './plan.ts'
import type { Stdio } from './stdio.ts'

const notification = Uint8Array.of(1)

/**
 * The program of a child in launch. The child notifies and reports on `ready`, and waits on `gate`.
 *
 * The order matters:
 *
 * 1. It asks to be killed when its parent dies, before anything else.
 * 2. It closes the descriptors it does not need before it may stop or wait.
 * 3. It is traced, and notifies, before it stops itself.
 * 4. It cancels step 1 only when its tracer holds it, or only the exec is left.
 */
export function childActions(plan: LaunchPlan, stdio: Stdio, ready: number, gate: number | undefined): ChildAction[] {
  const { trace, files, argv, env, inheritedFds } = plan
  const actions: ChildAction[] = [{ op: 'parentDeathSignal', signal: 'SIGKILL' }]
  stdio.addActions(actions, gate === undefined ? [...inheritedFds, ready] : [...inheritedFds, ready, gate])
  for (const fd of inheritedFds) actions.push({ op: 'dup2', fd, target: fd })
  for (const action of plan.optionActions) actions.push(action)
  if (trace === 'traceme') actions.push({ op: 'traceme' })
  if (trace !== false || gate !== undefined) actions.push({ op: 'write', fd: ready, data: notification })
  if (trace === 'traceme') actions.push({ op: 'raise', signal: 'SIGSTOP' })
  if (gate !== undefined) actions.push({ op: 'read', fd: gate, bytes: 1 })
  stdio.addLastActions(actions)
  actions.push({ op: 'parentDeathSignal', signal: 0 })
  actions.push({ op: 'execve', files, argv, env })
  return actions
}

/** The system call of an action, where its name differs from the action's. */
const syscalls: { readonly [op in ChildOp]?: string } = {
  traceme: 'ptrace',
  dup2: 'dup3',
  setBlocking: 'fcntl',
  closeAllExcept: 'close_range',
  parentDeathSignal: 'prctl',
  raise: 'tgkill',
  ignoreSignals: 'rt_sigaction',
  signalMask: 'rt_sigprocmask',
}

/** The error for a failure record. */
export function stepError(
  plan: LaunchPlan,
  actions: readonly ChildAction[],
  report: ChildReport,
  pid: number,
): SystemError {
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

/** A hint, where the errno alone is unclear. */
function hintOf(plan: LaunchPlan, action: ChildAction, code: string): string | undefined {
  if (action.op === 'execve' && code === 'ENOENT') {
    return privateCallsOf(plan.system)?.whyNotFound(action.files, plan.cwd)
  }
  if (action.op !== 'dup2' || code !== 'EBADF') return undefined
  const target = plan.stdio.findIndex(entry => entry.kind === 'fd' && entry.fd === action.fd)
  return target < 0 ? undefined : `stdio[${target}] is descriptor ${action.fd}, which is not open`
}
