/** Two launches wait on one channel. Each may take the other's notification and act on a child that is not ready. */

import { Channel } from '../../../lib/launch/channel/channel.ts'
import type { System } from '../../../lib/system/system.ts'
import { type BrokenLauncher, exec, expectEnd, notification } from './kit.ts'

/**
 * Starts a program as a process group leader, sets the terminal's size, and waits for the program's end. The
 * group exists once this resolves.
 */
async function launch(system: System, ready: Channel): Promise<void> {
  const pid = system.fork({
    actions: [{ op: 'setsid' }, { op: 'write', fd: ready.writeFd, data: notification }, exec('/bin/true')],
  })
  await ready.wait()
  system.kill(-pid, 'SIGWINCH')
  expectEnd(system, pid)
}

export const sharedChannel: BrokenLauncher = {
  kind: 'error',
  message: /ESRCH: no such process, kill/,

  async broken({ system }) {
    using ready = Channel.open({ system })
    await Promise.all([launch(system, ready), launch(system, ready)])
  },

  async mended({ system }) {
    using ready = Channel.open({ system })
    using otherReady = Channel.open({ system })
    await Promise.all([launch(system, ready), launch(system, otherReady)])
  },
}
