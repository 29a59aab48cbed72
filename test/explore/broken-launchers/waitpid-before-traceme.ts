/**
 * No handshake: the parent stops its child and waits for that stop. Before PTRACE_TRACEME it is no ptrace stop,
 * so waitpid() does not report it.
 */

import { Channel } from '../../../lib/launch/channel/channel.ts'
import { type BrokenLauncher, constants, exec, notification, runToEnd, type World } from './kit.ts'

const { PTRACE_O_TRACEEXEC, WUNTRACED } = constants

function launch({ system }: World, handshake: boolean): void {
  using ready = Channel.open({ system })
  using gate = Channel.open({ system })
  const pid = system.fork({
    actions: [
      { op: 'traceme' },
      { op: 'write', fd: ready.writeFd, data: notification },
      { op: 'read', fd: gate.readFd, bytes: 1 },
      exec('/bin/true'),
    ],
  })
  if (handshake) ready.waitSync()
  system.kill(pid, 'SIGSTOP')
  system.waitpid(pid, WUNTRACED)
  system.ptraceSetOptions(pid, PTRACE_O_TRACEEXEC)
  gate.notify()
  runToEnd(system, pid)
}

export const waitpidBeforeTraceme: BrokenLauncher = {
  kind: 'error',
  message: /ESRCH: no such process, ptrace/,
  broken: world => launch(world, false),
  mended: world => launch(world, true),
}
