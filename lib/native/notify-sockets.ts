/** The sockets of sd_notify(3), over the addon. */

import { SystemError } from '../system/errors.ts'
import type { NotifySockets } from '../system/private-calls.ts'
import type { Addon } from './addon.ts'
import { check } from './check-result.ts'
import { statusOf } from './proc.ts'

/** The chain of parents from a service's helper to the service is short. */
const mostAncestors = 64

export function notifySockets(addon: Addon): NotifySockets {
  const sender = new Int32Array(2)
  return {
    open() {
      // Loaded here: it takes longer than everything else that importing the package loads.
      const { randomBytes } = process.getBuiltinModule('node:crypto')
      const name = `tracegate-notify-${randomBytes(16).toString('hex')}`
      const fd = addon.openNotifySocket(Buffer.from(name))
      if (fd < 0) throw new SystemError({ errno: fd, syscall: 'socket' })
      return { fd, address: `@${name}` }
    },

    receive(fd, buffer) {
      const bytes = check('recvmsg', addon.receiveNotification(fd, buffer, sender))
      return { bytes, pid: sender[0]!, uid: sender[1]! >>> 0 }
    },

    isTrusted: ({ pid, uid }, child) => isDescendant(pid, child) || uid === process.geteuid?.(),
  }
}

/** Whether a process is another one, or a child of it, of its children … False once it has ended. */
function isDescendant(pid: number, ancestor: number): boolean {
  let current = pid
  for (let i = 0; i < mostAncestors && current > 1; i++) {
    if (current === ancestor) return true
    current = Number(statusOf(current)?.get('PPid') ?? 0)
  }
  return false
}
