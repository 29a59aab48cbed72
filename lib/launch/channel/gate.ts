/** The gate, a channel at which a child waits before its exec. */

import { isErrno } from '../../system/errors.ts'
import { privateCallsOf } from '../../system/private-calls.ts'
import type { System } from '../../system/system.ts'
import type { Channel } from './channel.ts'

/** Opens the gate. False on EPIPE: the child's end of the gate is gone, and so is the child. */
export function openGate(gate: Channel): boolean {
  try {
    gate.notify()
    return true
  } catch (error) {
    if (!isErrno(error, 'EPIPE')) throw error
    return false
  }
}

/** Whether a child that has closed the launch's channel, and is not reaped yet, has exec'ed. */
export function hasExeced(system: System, pid: number, gate: Channel | undefined): boolean {
  const known = privateCallsOf(system)?.hasExeced(pid)
  if (known !== undefined) return known
  // A child killed at the gate leaves the gate's byte unread.
  return gate === undefined || system.bytesReadable(gate.writeFd) === 0
}
