/** The first stop is taken for the exec stop without a check. A signal may stop the child earlier. */

import type { System } from '../../../lib/system/system.ts'
import type { WaitStatus } from '../../../lib/system/wait-status.ts'
import { type BrokenLauncher, exec, type World } from './kit.ts'

function wait(system: System, pid: number): WaitStatus {
  return system.waitpid(pid)!.status
}

/** Waits for the exec stop and passes on the signals that come before it. */
function waitForExec(system: System, pid: number): void {
  for (let status = wait(system, pid); status.kind === 'stopped'; status = wait(system, pid)) {
    if (status.signal === 'SIGTRAP') return
    system.ptraceCont(pid, status.signal)
  }
}

/** Resizes the terminal while a program is launched, and expects the program at its first instruction. */
function launch({ kernel, system }: World, held: (system: System, pid: number) => void): void {
  kernel.install('/bin/resize', function* (process) {
    yield* process.kill(0, 'SIGWINCH')
  })
  const resize = system.fork({ actions: [exec('/bin/resize')] })
  const pid = system.fork({ actions: [{ op: 'traceme' }, exec('/bin/true')] })
  held(system, pid)
  system.ptraceCont(pid)
  for (let status = wait(system, pid); status.kind === 'stopped'; status = wait(system, pid)) {
    if (status.signal === 'SIGTRAP') throw new Error('the program was taken to be at its exec, and was not there yet')
    system.ptraceCont(pid, status.signal)
  }
  system.waitpid(resize)
}

export const wrongStatus: BrokenLauncher = {
  kind: 'error',
  message: /taken to be at its exec, and was not there yet/,
  broken: world => launch(world, (system, pid) => void system.waitpid(pid)),
  mended: world => launch(world, waitForExec),
}
