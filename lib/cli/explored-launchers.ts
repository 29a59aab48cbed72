/** Two launchers for `tracegate explore`: one that hopes its child is traced by now, and the same with a Channel. */

import { Channel } from '../launch/channel.ts'
import type { Scenario } from '../sim/index.ts'
import type { ChildAction } from '../system/child-program.ts'
import { constants } from '../system/constants.ts'
import type { System } from '../system/system.ts'

const { PTRACE_O_EXITKILL, PTRACE_O_TRACEEXEC, WNOHANG } = constants
const notification = Uint8Array.of(1)
const program: ChildAction = { op: 'execve', files: ['/bin/true'], argv: ['true'], env: [] }

/** The launcher of many a first attempt: it may not block, so it looks once, and takes the child for its tracee. */
export const withoutChannel: Scenario = ({ system }) => {
  const pid = system.fork({ actions: [{ op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }, program] })
  system.waitpid(pid, WNOHANG)
  traceToTheEnd(system, pid)
}

/** The child says that it is traced; from then on its stop is certain, and waiting for it is short. */
export const withChannel: Scenario = async ({ system }) => {
  using channel = Channel.open({ system })
  const notify: ChildAction = { op: 'write', fd: channel.writeFd, data: notification }
  const pid = system.fork({ actions: [{ op: 'traceme' }, notify, { op: 'raise', signal: 'SIGSTOP' }, program] })
  channel.closeWrite()
  await channel.wait()
  system.waitpid(pid)
  traceToTheEnd(system, pid)
}

/** From the first stop to the exec, and from there to the end. */
function traceToTheEnd(system: System, pid: number): void {
  system.ptraceSetOptions(pid, PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC)
  system.ptraceCont(pid)
  system.waitpid(pid)
  system.ptraceCont(pid)
  system.waitpid(pid)
}
