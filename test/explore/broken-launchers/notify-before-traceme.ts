/**
 * The child notifies before PTRACE_TRACEME. A SIGSTOP in between causes no ptrace stop, and the tracer waits
 * forever.
 */

import { Channel } from '../../../lib/launch/channel/channel.ts'
import type { ChildAction } from '../../../lib/system/child-program.ts'
import { type BrokenLauncher, constants, exec, notification, runToEnd, type World } from './kit.ts'

const { PTRACE_O_TRACEEXEC } = constants

function launch({ system }: World, order: 'notify, traceme' | 'traceme, notify'): void {
  using ready = Channel.open({ system })
  using gate = Channel.open({ system })
  const notify: ChildAction = { op: 'write', fd: ready.writeFd, data: notification }
  const traceme: ChildAction = { op: 'traceme' }
  const pid = system.fork({
    actions: [
      ...(order === 'notify, traceme' ? [notify, traceme] : [traceme, notify]),
      { op: 'read', fd: gate.readFd, bytes: 1 },
      exec('/bin/true'),
    ],
  })
  ready.waitSync()
  system.kill(pid, 'SIGSTOP')
  system.waitpid(pid)
  system.ptraceSetOptions(pid, PTRACE_O_TRACEEXEC)
  gate.notify()
  runToEnd(system, pid)
}

export const notifyBeforeTraceme: BrokenLauncher = {
  kind: 'deadlock',
  message: /waits for a child[\s\S]* is stopped by SIGSTOP, until a SIGCONT/,
  broken: world => launch(world, 'notify, traceme'),
  mended: world => launch(world, 'traceme, notify'),
}
