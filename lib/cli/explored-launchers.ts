/** Two launchers for `tracegate explore`: one that assumes its child is traced already, and the same with a Channel. */

import { Channel } from '../launch/channel/channel.ts'
import type { Scenario } from '../sim/index.ts'
import type { ChildAction } from '../system/child-program.ts'
import { constants } from '../system/constants.ts'
import type { System } from '../system/system.ts'

const { PTRACE_O_EXITKILL, PTRACE_O_TRACEEXEC, WNOHANG } = constants
const notification = Uint8Array.of(1)
const program: ChildAction = { op: 'execve', files: ['/bin/true'], argv: ['true'], env: [] }

/** A common first attempt. It may not block, so it checks once and then assumes that the child is its tracee. */
export const withoutChannel: Scenario = ({ system }) => {
  const pid = system.fork({ actions: [{ op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }, program] })
  system.waitpid(pid, WNOHANG)
  traceToTheEnd(system, pid)
}

/** The child reports that it is traced. From then on its stop is certain, and the wait for it is short. */
export const withChannel: Scenario = async ({ system }) => {
  using channel = Channel.open({ system })
  const notify: ChildAction = { op: 'write', fd: channel.writeFd, data: notification }
  const pid = system.fork({ actions: [{ op: 'traceme' }, notify, { op: 'raise', signal: 'SIGSTOP' }, program] })
  channel.closeWrite()
  await channel.wait()
  system.waitpid(pid)
  traceToTheEnd(system, pid)
}

/** Continues the tracee from its first stop to the exec, and from there to its end. */
function traceToTheEnd(system: System, pid: number): void {
  system.ptraceSetOptions(pid, PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC)
  system.ptraceCont(pid)
  system.waitpid(pid)
  system.ptraceCont(pid)
  system.waitpid(pid)
}
