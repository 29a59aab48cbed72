/**
 * A child's settings as simulated calls. Most of them have no effect: nothing in a simulated world depends on them.
 * Settings that cannot be simulated at all are refused before the fork.
 */

import type { ChildAction, ChildOp, ChildProgram } from '../../system/child-program.ts'
import { constants } from '../../system/constants.ts'
import { SystemError } from '../../system/errors.ts'
import { EINVAL } from '../base/results.ts'
import type { Action, Task } from '../processes/task.ts'
import type { ChildCall } from './child-calls.ts'
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

const done: Action = () => 0

/** The call of a setting; undefined for another action. */
export function settingOf(action: ChildAction): ChildCall | undefined {
  switch (action.op) {
    case 'processGroup':
      return ['setpgid', [action.group], task => own.setGroup(task, 0, action.group)]
    case 'umask':
      return ['umask', [action.mask], done]
    case 'rlimits':
      return ['prlimit64', [action.resource, action.soft], task => setLimits(task, action)]
    case 'nice':
      return ['setpriority', [action.nice], done]
    case 'oomScoreAdj':
      return ['openat', ['/proc/self/oom_score_adj', O_WRONLY], () => (Math.abs(action.score) > 1000 ? -EINVAL : 0)]
    case 'affinity':
      // The machine has one CPU.
      return ['sched_setaffinity', [action.cpus], () => (action.cpus.includes(0) ? 0 : -EINVAL)]
    case 'aslr':
      return ['personality', [action.on], done]
    case 'tracer':
      // There is no Yama.
      return ['prctl', ['PTRACER', action.pid], done]
    case 'noNewPrivileges':
      return ['prctl', ['NO_NEW_PRIVS'], done]
    default:
      return undefined
  }
}

function setLimits(task: Task, { resource, soft, hard }: Extract<ChildAction, { op: 'rlimits' }>): number {
  if (soft > hard) return -EINVAL
  if (resource === 'nofile' || resource === 'core') return own.setLimit(task, resource, soft)
  return 0
}
