/** Which ptrace options a process is traced with. */

import { constants } from '../../../system/constants.ts'

const {
  PTRACE_O_EXITKILL,
  PTRACE_O_TRACECLONE,
  PTRACE_O_TRACEEXEC,
  PTRACE_O_TRACEFORK,
  PTRACE_O_TRACESYSGOOD,
  PTRACE_O_TRACEVFORK,
  PTRACE_O_TRACEVFORKDONE,
} = constants

/** What is shown besides the main thread: its threads, or these and its children, and theirs. */
export type Follow = 'threads' | 'all' | false

/** How a tracee is traced. PTRACE_LISTEN and PTRACE_INTERRUPT need 'seize'. */
export type Tracing = 'traceme' | 'seize'

/** Asked for in every case. Without the births of threads, an exec by another thread than the main one is missed. */
const always = PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE | PTRACE_O_TRACESYSGOOD

/** Births of child processes, and the end of the wait for a vfork child. */
export const birthsOfChildren = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE

/** The PTRACE_O_* bits. */
export function optionsFor(follow: Follow, exitKill: boolean): number {
  const children = follow === 'all' ? birthsOfChildren : 0
  return always | children | (exitKill ? PTRACE_O_EXITKILL : 0)
}
