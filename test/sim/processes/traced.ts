import type { ChildAction } from '../system.ts'
import { program, world } from '../world.ts'

export const traceme: ChildAction = { op: 'traceme' }
export const stop: ChildAction = { op: 'raise', signal: 'SIGSTOP' }

/** A host and its child, which performs PTRACE_TRACEME and then these actions. */
export function traced(...actions: ChildAction[]) {
  const { host, kernel } = world()
  kernel.install('/pauses', function* (process) {
    for (;;) {
      try {
        yield* process.pause()
      } catch {}
    }
  })
  const pid = host.fork(program(traceme, ...actions))
  return { host, kernel, pid }
}
