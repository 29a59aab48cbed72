/** The shim at the gate takes end of file as permission to exec. A launch that gives up closes the gate too. */

import { Channel } from '../../../lib/launch/channel/channel.ts'
import { type BrokenLauncher, exec, type World } from './kit.ts'

function launch({ kernel, system }: World, knowsEndOfFile: boolean): void {
  using gate = Channel.open({ system })
  let hasRun = false
  kernel.install('/bin/payload', function* (process) {
    hasRun = true
    yield* process.exit(0)
  })
  kernel.install('/lib/gate-shim', function* (process) {
    yield* process.close(4)
    const bytes = yield* process.read(3, new Uint8Array(1))
    if (bytes === 0 && knowsEndOfFile) return 126
    yield* process.execve('/bin/payload')
    return 127
  })
  const pid = system.fork({
    actions: [
      { op: 'dup2', fd: gate.readFd, target: 3 },
      { op: 'dup2', fd: gate.writeFd, target: 4 },
      exec('/lib/gate-shim'),
    ],
  })
  // Setting the limits failed: the program must not run.
  gate.close()
  system.kill(pid, 'SIGKILL')
  system.waitpid(pid)
  if (hasRun) throw new Error('the program ran although its launch was given up')
}

export const gateEndOfFileAsGo: BrokenLauncher = {
  kind: 'error',
  message: /ran although its launch was given up/,
  broken: world => launch(world, false),
  mended: world => launch(world, true),
}
