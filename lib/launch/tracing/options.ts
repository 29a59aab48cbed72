/** Which ptrace options a process is traced with. */

import { constants } from '../../system/constants.ts'

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

/** Exec, births of threads, and system calls distinct from signals: without the births an exec by a thread is lost. */
const always = PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE | PTRACE_O_TRACESYSGOOD

/** Births of children, and the end of the wait for one that shares the memory. */
export const birthsOfChildren = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE

/** The PTRACE_O_* bits. */
export function optionsFor(follow: Follow, exitKill: boolean): number {
  const children = follow === 'all' ? birthsOfChildren : 0
  return always | children | (exitKill ? PTRACE_O_EXITKILL : 0)
}
