import { exec, program, world } from '../world.ts'

/** A host whose children run until they are killed: /pauses waits for signals, /stays sleeps. */
export function held() {
  const { host, kernel } = world()
  kernel.install('/stays', function* (process) {
    for (;;) yield* process.sleep(1_000_000)
  })
  kernel.install('/pauses', function* (process) {
    yield* process.pause()
  })
  const start = (file = '/pauses') => {
    const pid = host.fork(program(exec(file)))
    kernel.settle()
    return pid
  }
  return { host, kernel, start }
}
