/** The child's side of a launch: its actions, in the order that leaves no orphan. */

import type { ChildAction } from '../../system/child-program.ts'
import type { Signal } from '../../system/signals.ts'
import type { LaunchPlan } from '../options/plan.ts'
import type { Stdio } from '../stdio/stdio.ts'

const notification = Uint8Array.of(1)

/** The launch's own descriptors in the child. */
export interface LaunchFds {
  /** The child notifies and reports on this one. */
  readonly ready: number | undefined
  /** The child waits on this one: for its id maps, at its gate. */
  readonly gate: number | undefined
  /** Ready once the parent has ended. Only in a pid namespace, where getppid(2) is always 0. */
  readonly parent: number | undefined
}

/**
 * The program of a child in launch.
 *
 * The order matters:
 *
 * 1. It asks to be killed when its parent dies, before anything else.
 * 2. It closes the descriptors it does not need before it may stop or wait.
 * 3. It changes its limits with the parent's rights, then its user. A change of user cancels step 1, which it repeats.
 * 4. It is traced, and notifies where it has a channel, before it stops itself.
 * 5. It cancels step 1 only when its tracer holds it, or only the exec is left.
 */
export function childActions(plan: LaunchPlan, stdio: Stdio, fds: LaunchFds): ChildAction[] {
  const { trace, files, argv, env, inheritedFds, hasGate, idMaps } = plan
  const { session, settings, identity, program, last } = plan.optionActions
  const { ready, gate, parent } = fds
  const dieWithParent = parentDeathSignal('SIGKILL', parent)
  const actions: ChildAction[] = [dieWithParent, ...session]
  const kept = [...inheritedFds]
  if (ready !== undefined) kept.push(ready)
  if (gate !== undefined) kept.push(gate)
  if (parent !== undefined) kept.push(parent)
  stdio.addActions(actions, kept)
  for (const fd of inheritedFds) actions.push({ op: 'dup2', fd, target: fd })
  // `ready` shows the parent's end only once the child has closed its own copy of the other end.
  if (parent !== undefined && parent === ready) actions.push(dieWithParent)
  actions.push(...settings)
  if (gate !== undefined && idMaps !== undefined) actions.push({ op: 'read', fd: gate, bytes: 1 })
  actions.push(...identity)
  if (identity.some(({ op }) => op === 'uid' || op === 'gid')) actions.push(dieWithParent)
  actions.push(...program)
  if (trace === 'traceme') actions.push({ op: 'traceme' })
  if (ready !== undefined && (trace !== false || hasGate)) actions.push({ op: 'write', fd: ready, data: notification })
  if (trace === 'traceme') actions.push({ op: 'raise', signal: 'SIGSTOP' })
  if (gate !== undefined && hasGate) actions.push({ op: 'read', fd: gate, bytes: 1 })
  stdio.addLastActions(actions)
  // SIGKILL is in force until here: the parent's death is not checked again.
  actions.push(parentDeathSignal(plan.parentDeathSignal, parent))
  actions.push(...last)
  actions.push({ op: 'execve', files, argv, env })
  return actions
}

function parentDeathSignal(signal: Signal | 0, parent: number | undefined): ChildAction {
  return parent === undefined ? { op: 'parentDeathSignal', signal } : { op: 'parentDeathSignal', signal, parent }
}
