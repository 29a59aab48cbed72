/**
 * Signals are blocked around the fork, and the child does not unblock them. Without ptrace options the exec stop
 * is an ordinary SIGTRAP, which then never comes.
 */

import type { Signal } from '../../../lib/system/signals.ts'
import { type BrokenLauncher, exec, type World } from './kit.ts'

const all: readonly Signal[] = Array.from({ length: 64 }, (_, index) => index + 1)

/** A launcher that keeps its own signal handlers from running in the child. */
function launch({ kernel, system }: World, unblocksInChild: boolean): void {
  kernel.install('/bin/launcher', function* (process) {
    const before = yield* process.sigprocmask('block', all)
    const pid = yield* process.fork(function* (child) {
      if (unblocksInChild) yield* child.sigprocmask('set', before)
      yield* child.traceme()
      yield* child.execve('/bin/true')
    })
    yield* process.sigprocmask('set', before)
    const held = yield* process.waitpid(pid)
    if (held?.status.kind !== 'stopped') throw new Error('the program ran to its end and did not stop at its exec')
    yield* process.ptraceCont(pid)
    yield* process.waitpid(pid)
  })
  system.waitpid(system.fork({ actions: [exec('/bin/launcher')] }))
}

export const stopLostWithMask: BrokenLauncher = {
  kind: 'error',
  message: /did not stop at its exec/,
  broken: world => launch(world, false),
  mended: world => launch(world, true),
}
