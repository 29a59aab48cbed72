/**
 * The terminal sends SIGINT to the whole group, and the launcher forwards its own. The program gets two, and
 * takes the second as 'quit at once'.
 */

import type { Program } from '../../../lib/sim/index.ts'
import { type BrokenLauncher, exec, notification, type World } from './kit.ts'

const readyFd = 3

/** A server that exits cleanly at the first SIGINT and aborts at the second. */
const server: Program = function* (process) {
  let interrupts = 0
  yield* process.sigaction('SIGINT', function* (self) {
    if (++interrupts > 1) yield* self.exit(130)
  })
  yield* process.write(readyFd, notification)
  while (interrupts === 0) {
    try {
      yield* process.sleep(1000)
    } catch {
      // EINTR
    }
  }
  return 0
}

function launcher(groupOfItsOwn: boolean): Program {
  return function* (process) {
    let pid = 0
    yield* process.sigaction(
      'SIGINT',
      function* (self) {
        try {
          if (pid > 0) yield* self.kill(pid, 'SIGINT')
        } catch {
          // ESRCH: it has ended
        }
      },
      { restart: true },
    )
    pid = yield* process.fork(function* (child) {
      if (groupOfItsOwn) yield* child.setsid()
      yield* child.execve('/bin/server')
    })
    const result = yield* process.waitpid(pid)
    return result?.status.kind === 'exited' ? result.status.code : 1
  }
}

function interruptFromTerminal({ kernel, system }: World, groupOfItsOwn: boolean): void {
  kernel.install('/bin/server', server)
  kernel.install('/bin/launcher', launcher(groupOfItsOwn))
  const [ready, readyInChild] = system.pipe2()
  const pid = system.fork({
    actions: [{ op: 'setsid' }, { op: 'dup2', fd: readyInChild, target: readyFd }, exec('/bin/launcher')],
  })
  system.read(ready, new Uint8Array(1))
  system.kill(-pid, 'SIGINT')
  const status = system.waitpid(pid)?.status
  system.close(ready)
  system.close(readyInChild)
  if (status?.kind !== 'exited') throw new Error('the launcher was killed')
  if (status.code !== 0) throw new Error(`one SIGINT of the terminal ended the server with ${status.code}`)
}

export const signalForwardedTwice: BrokenLauncher = {
  kind: 'error',
  message: /one SIGINT of the terminal ended the server with 130/,
  broken: world => interruptFromTerminal(world, false),
  mended: world => interruptFromTerminal(world, true),
}
