/**
 * A child's settings as simulated calls. Most of them have no effect: nothing in a simulated world depends on them.
 * Settings that cannot be simulated at all are refused before the fork.
 */

import type { ChildAction, ChildOp, ChildProgram } from '../../system/child-program.ts'
import { constants } from '../../system/constants.ts'
import { SystemError } from '../../system/errors.ts'
import { EINVAL } from '../base/results.ts'
import type { Action, Task } from '../processes/task.ts'
import * as own from './own-process.ts'

const { O_WRONLY } = constants

/** Actions on what no simulated process has. To ignore one silently would be a security hole. */
const notSimulated: ReadonlySet<ChildOp> = new Set<ChildOp>([
  'controllingTerminal',
  'foreground',
  'cgroup',
  'namespaces',
  'chroot',
  'groups',
  'gid',
  'uid',
  'seccomp',
])

/** Refuses a program with an action that cannot be simulated. @throws SystemError ENOSYS */
export function requireSimulated({ actions, namespaces = [] }: ChildProgram): void {
  const op = namespaces.length > 0 ? 'namespaces' : actions.find(action => notSimulated.has(action.op))?.op
  if (op === undefined) return
  const hint = `'${op}' is not simulated: it needs the native System`
  throw new SystemError({ errno: 'ENOSYS', syscall: 'fork', step: op, hint })
}

/** A setting as a call. */
export interface Setting {
  readonly call: string
  readonly args: readonly unknown[]
  readonly act: Action
}

const done: Action = () => 0

/** The call of a setting; undefined for another action. */
export function settingOf(action: ChildAction): Setting | undefined {
  switch (action.op) {
    case 'processGroup':
      return { call: 'setpgid', args: [action.group], act: task => own.setGroup(task, 0, action.group) }
    case 'umask':
      return { call: 'umask', args: [action.mask], act: done }
    case 'rlimits':
      return { call: 'prlimit64', args: [action.resource, action.soft], act: task => setLimits(task, action) }
    case 'nice':
      return { call: 'setpriority', args: [action.nice], act: done }
    case 'oomScoreAdj':
      return {
        call: 'openat',
        args: ['/proc/self/oom_score_adj', O_WRONLY],
        act: () => (Math.abs(action.score) > 1000 ? -EINVAL : 0),
      }
    case 'affinity':
      // The machine has one CPU.
      return { call: 'sched_setaffinity', args: [action.cpus], act: () => (action.cpus.includes(0) ? 0 : -EINVAL) }
    case 'aslr':
      return { call: 'personality', args: [action.on], act: done }
    case 'tracer':
      // There is no Yama.
      return { call: 'prctl', args: ['PTRACER', action.pid], act: done }
    case 'noNewPrivileges':
      return { call: 'prctl', args: ['NO_NEW_PRIVS'], act: done }
    default:
      return undefined
  }
}

function setLimits(task: Task, { resource, soft, hard }: Extract<ChildAction, { op: 'rlimits' }>): number {
  if (soft > hard) return -EINVAL
  if (resource === 'nofile' || resource === 'core') return own.setLimit(task, resource, soft)
  return 0
}
