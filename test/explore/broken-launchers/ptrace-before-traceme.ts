/** No handshake: the parent sets ptrace options on a child that may not be traced yet. */

import { type BrokenLauncher, constants, exec, runToEnd, type World } from './kit.ts'

const { PTRACE_O_TRACEEXEC } = constants

function fork({ system }: World): number {
  return system.fork({ actions: [{ op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }, exec('/bin/true')] })
}

export const ptraceBeforeTraceme: BrokenLauncher = {
  kind: 'error',
  message: /ESRCH: no such process, ptrace/,

  broken(world) {
    const pid = fork(world)
    world.system.ptraceSetOptions(pid, PTRACE_O_TRACEEXEC)
    world.system.waitpid(pid)
    runToEnd(world.system, pid)
  },

  mended(world) {
    const pid = fork(world)
    world.system.waitpid(pid)
    world.system.ptraceSetOptions(pid, PTRACE_O_TRACEEXEC)
    runToEnd(world.system, pid)
  },
}
