/** The fork of a child into namespaces of its own. */

import type { ChildProgram } from '../../system/child-program.ts'
import { nameStep, SystemError } from '../../system/errors.ts'
import type { System } from '../../system/system.ts'

/** What the errnos of a clone(2) into new namespaces mean. Any other errno is that of a plain fork. */
const reasons: { readonly [code: string]: string } = {
  EPERM: "CAP_SYS_ADMIN is needed, or 'user' among the namespaces where user namespaces are allowed",
  ENOSPC: 'the limit of namespaces in /proc/sys/user is reached',
  EUSERS: 'the limit of user namespaces is reached',
  EINVAL: 'this kernel has no such namespaces',
}

/** fork() of the program. @throws SystemError of step 'namespaces' if they are refused */
export function forkInNamespaces(system: System, program: ChildProgram): number {
  const { namespaces = [] } = program
  if (namespaces.length === 0) return system.fork(program)
  try {
    return system.fork(program)
  } catch (error) {
    const hint = error instanceof SystemError ? reasons[error.code] : undefined
    if (hint === undefined) throw error
    const { errno } = error as SystemError
    const explained = new SystemError({ errno, syscall: 'clone', hint })
    nameStep(explained, 'namespaces')
    throw explained
  }
}
