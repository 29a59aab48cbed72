/**
 * A SIGCHLD handler against zombies reaps every child that has ended. A launched child's own waiter then gets
 * ECHILD.
 */

import { Channel } from '../../../lib/launch/channel/channel.ts'
import { type BrokenLauncher, constants, exec, expectEnd, notification, type World } from './kit.ts'

const { WNOHANG } = constants

async function launch({ system }: World): Promise<void> {
  using ready = Channel.open({ system })
  const pid = system.fork({
    actions: [{ op: 'write', fd: ready.writeFd, data: notification }, exec('/bin/true')],
  })
  ready.closeWrite()
  await ready.wait()
  expectEnd(system, pid)
}

/** A child started by unrelated code in the same process. */
function startBackgroundJob({ system }: World): number {
  return system.fork({ actions: [exec('/bin/true')] })
}

async function launchBesideReaper(world: World, reapsAnyChild: boolean): Promise<void> {
  const { system } = world
  const job = startBackgroundJob(world)
  let jobEnded = false
  const stopReaping = system.onChildChange(() => {
    for (;;) {
      try {
        const result = system.waitpid(reapsAnyChild ? -1 : job, WNOHANG)
        if (result === null) return
        if (result.pid === job) jobEnded = true
      } catch {
        return // ECHILD: no child is left
      }
    }
  })
  await launch(world)
  stopReaping()
  if (!jobEnded) system.waitpid(job)
}

export const handlerReapsAnyChild: BrokenLauncher = {
  kind: 'error',
  message: /ECHILD: no child processes, waitpid/,
  broken: world => launchBesideReaper(world, true),
  mended: world => launchBesideReaper(world, false),
}
