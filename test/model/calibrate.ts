/**
 * Checks that sockets are comparable on this kernel. The cost of a message in a socket's send buffer depends on the
 * kernel's build: the sizes of structures, pages and cache lines. The simulated kernel has the figures of the usual
 * 64-bit build; with others, a different number of messages fits.
 */

import { constants } from '../../lib/system/constants.ts'
import type { System } from '../../lib/system/system.ts'
import type { Pair } from './check.ts'
import { outcome } from './session.ts'

const { AF_UNIX, SOCK_STREAM, SOCK_SEQPACKET, SOCK_NONBLOCK } = constants

const sizes = {
  [SOCK_STREAM]: [1, 193, 3777, 4096, 8192, 32_768, 36_544],
  [SOCK_SEQPACKET]: [1, 193, 4096, 16_065, 65_536, 150_000],
} as const

/** Number of writes of one size that a fresh socket takes. */
function writesTaken(system: System, type: number, bytes: number): number {
  const pair = system.socketpair(AF_UNIX, type | SOCK_NONBLOCK)
  const data = new Uint8Array(bytes)
  let writes = 0
  while (outcome(() => system.write(pair[0], data)) === bytes) writes++
  for (const fd of pair) system.close(fd)
  return writes
}

function figures(system: System): number[] {
  return Object.entries(sizes).flatMap(([type, list]) => list.map(bytes => writesTaken(system, Number(type), bytes)))
}

/** Why sockets cannot be compared here; undefined when they can. */
export function whyNoSockets({ one, other }: Pair): string | undefined {
  const [left, right] = [one, other ?? one].map(kind => figures(kind.open().system).join(' '))
  return left === right ? undefined : `this kernel's sockets hold ${left} writes, and not ${right}`
}
