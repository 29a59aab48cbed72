/** The capabilities of this process. */

import { readFileSync } from 'node:fs'

/** The bits of linux/capability.h that the tests ask for. */
const bits = {
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SYS_CHROOT: 18,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_NICE: 23,
  CAP_SYS_RESOURCE: 24,
} as const

const effective = BigInt(`0x${/^CapEff:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0'}`)

/** Whether this process has a capability in force. */
export function hasCapability(name: keyof typeof bits): boolean {
  return (effective & (1n << BigInt(bits[name]))) !== 0n
}
