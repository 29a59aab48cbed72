/** A descriptor is closed after use, and closed again in the cleanup. By then another launch may own the number. */

import type { System } from '../../../lib/system/system.ts'
import { type BrokenLauncher, constants, exec, expectEnd } from './kit.ts'

const { O_CLOEXEC, POLLIN } = constants

function closeAll(system: System, fds: readonly number[]): void {
  for (const fd of fds) {
    try {
      system.close(fd)
    } catch {
      // closed already
    }
  }
}

async function launch(system: System, closesTwice: boolean): Promise<void> {
  const [report, reportInChild] = system.pipe2(O_CLOEXEC)
  const pid = system.fork({ actions: [exec('/bin/true')], report: reportInChild })
  try {
    system.close(reportInChild)
    await system.ready(report, POLLIN)
    if (system.read(report, new Uint8Array(8)) > 0) throw new Error('the exec failed')
  } finally {
    closeAll(system, closesTwice ? [report, reportInChild] : [report])
    expectEnd(system, pid)
  }
}

export const doubleClose: BrokenLauncher = {
  kind: 'error',
  message: /EBADF: bad file descriptor/,

  async broken({ system }) {
    await Promise.all([launch(system, true), launch(system, true)])
  },

  async mended({ system }) {
    await Promise.all([launch(system, false), launch(system, false)])
  },
}
