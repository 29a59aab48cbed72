/** Hints for failed steps of a child whose errno alone is unclear. */

import type { ChildAction } from '../../system/child-program.ts'
import { explanationsOf } from '../../system/private-calls.ts'
import type { LaunchPlan } from './plan.ts'
import { whyInvalid } from './seccomp-filter.ts'

/** The likely cause behind the errno of an action; undefined if there is nothing to add. */
export function hintOf(plan: LaunchPlan, action: ChildAction, code: string): string | undefined {
  switch (action.op) {
    case 'execve':
      // This process cannot look up files under another root.
      if (code !== 'ENOENT' || plan.hasOtherRoot) return undefined
      return explanationsOf(plan.system)?.whyNotFound(action.files, plan.cwd)
    case 'traceme':
      return code === 'EPERM' ? explanationsOf(plan.system)?.whyNoTraceme?.() : undefined
    case 'dup2': {
      if (code !== 'EBADF') return undefined
      const target = plan.stdio.findIndex(entry => entry.kind === 'fd' && entry.fd === action.fd)
      return target < 0 ? undefined : `stdio[${target}] is descriptor ${action.fd}, which is not open`
    }
    case 'rlimits':
      if (code !== 'EPERM') return `rlimits.${action.resource}`
      return `rlimits.${action.resource}: CAP_SYS_RESOURCE is needed to raise a hard limit${
        action.resource === 'nofile' ? ', and fs.nr_open bounds it' : ''
      }`
    case 'affinity':
      return code === 'EINVAL' ? `none of the CPUs ${action.cpus.join(', ')} may be used` : undefined
    case 'seccomp':
      if (code === 'EACCES') return 'without CAP_SYS_ADMIN, seccomp needs noNewPrivileges: true'
      return code === 'EINVAL' ? whyInvalid(action.filter) : undefined
    case 'uid':
    case 'gid':
    case 'groups':
      if (code === 'EINVAL') return 'the user namespace has no such id: uidMap and gidMap say which it has'
      return code === 'EPERM' ? `${action.op === 'uid' ? 'CAP_SETUID' : 'CAP_SETGID'} is needed` : undefined
    default:
      return hints()[action.op]?.[code]
  }
}

const hints = (): { readonly [op in ChildAction['op']]?: { readonly [code: string]: string } } => ({
  controllingTerminal: {
    EPERM: 'it is the controlling terminal of another session',
    ENOTTY: 'the descriptor is no terminal',
    EBADF: 'the descriptor is not open',
  },
  foreground: { ENXIO: 'there is no controlling terminal' },
  processGroup: { EPERM: 'there is no such process group in this session' },
  nice: { EACCES: 'CAP_SYS_NICE is needed to lower the nice value' },
  oomScoreAdj: {
    EACCES: 'CAP_SYS_RESOURCE is needed to lower the score, and to set any from a process that is not dumpable',
  },
  tracer: { EINVAL: 'there is no such process' },
  cgroup: { EBUSY: 'processes are in the leaves of a cgroup tree only', EOPNOTSUPP: 'the cgroup is threaded' },
  namespaces: { EPERM: "CAP_SYS_ADMIN is needed, or 'user' among the namespaces" },
  chroot: { EPERM: 'CAP_SYS_CHROOT is needed' },
})
