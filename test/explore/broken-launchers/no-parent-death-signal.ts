/** The launcher is killed while its child is held in a stop: nobody is left who could let it go or end it. */

import type { ChildAction } from '../../../lib/system/child-program.ts'
import { type BrokenLauncher, exec, type World } from './kit.ts'

function launch({ kernel, system }: World, setup: readonly ChildAction[]): void {
  kernel.install('/bin/launcher', function* (process) {
    const actions: ChildAction[] = [...setup, { op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }, exec('/bin/true')]
    const pid = yield* process.fork({ actions })
    // Each of its stops: its own, the exec's.
    for (;;) {
      const result = yield* process.waitpid(pid)
      if (result?.status.kind !== 'stopped') return 0
      yield* process.ptraceCont(pid)
    }
  })
  const launcher = system.fork({ actions: [exec('/bin/launcher')] })
  system.waitpid(launcher)
}

export const noParentDeathSignal: BrokenLauncher = {
  kind: 'leak',
  message: /stopped/,
  faults: 1,
  broken: world => launch(world, []),
  mended: world => launch(world, [{ op: 'parentDeathSignal', signal: 'SIGKILL' }]),
}
