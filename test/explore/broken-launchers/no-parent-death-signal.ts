/** The launcher is killed while its child is in a ptrace stop: no process is left to resume or end the child. */

import type { Program } from '../../../lib/sim/index.ts'
import type { ChildAction } from '../../../lib/system/child-program.ts'
import { isErrno } from '../../../lib/system/errors.ts'
import { type BrokenLauncher, exec, type World } from './kit.ts'

/** Starts a traced program and continues it through two stops: its own and the exec's. */
function launcher(setup: readonly ChildAction[]): Program {
  const actions: ChildAction[] = [...setup, { op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }, exec('/bin/true')]
  return function* (process) {
    let pid = 0
    for (;;) {
      try {
        pid ||= yield* process.fork({ actions })
        const result = yield* process.waitpid(pid)
        if (result?.status.kind !== 'stopped') return 0
        yield* process.ptraceCont(pid)
      } catch (error) {
        // ESRCH: the child was killed at its stop. Its end is the next event.
        if (!isErrno(error, 'EINTR', 'ESRCH')) return 1
      }
    }
  }
}

function supervise({ kernel, system }: World, setup: readonly ChildAction[]): void {
  kernel.install('/bin/launcher', launcher(setup))
  let pid = 0
  for (;;) {
    try {
      pid ||= system.fork({ actions: [exec('/bin/launcher')] })
      system.waitpid(pid)
      return
    } catch (error) {
      if (!isErrno(error, 'EINTR')) return
    }
  }
}

export const noParentDeathSignal: BrokenLauncher = {
  kind: 'leak',
  message: /stopped/,
  faults: 1,
  broken: world => supervise(world, []),
  mended: world => supervise(world, [{ op: 'parentDeathSignal', signal: 'SIGKILL' }]),
}
