/** NT_ARM_HW_BREAK and NT_ARM_HW_WATCH: struct user_hwdebug_state, pairs of an address and a control word. */

import type { Slots, Watch } from './debug-registers.ts'

const headerBytes = 8
const registerBytes = 16

const enabled = 1
/** Of the instructions of programs, as opposed to the kernel's. */
const inPrograms = 2 << 1
const kinds = { execute: 0, write: 2 << 3, access: 3 << 3 } as const

/** How many registers of a kind the machine has. */
export function registersIn(set: Uint8Array): number {
  return set[0] ?? 0
}

/** A register set of `count` registers. */
export function encodeRegisters(slots: Slots, count: number, architecture: string): Uint8Array {
  const bytes = new Uint8Array(headerBytes + count * registerBytes)
  const view = new DataView(bytes.buffer)
  slots.forEach((watch, slot) => {
    if (watch === undefined) return
    const at = headerBytes + slot * registerBytes
    const offset = Number(watch.address % (watch.on === 'execute' ? 4n : 8n))
    const selected = ((1 << lengthOf(watch, architecture)) - 1) << offset
    view.setBigUint64(at, watch.address - BigInt(offset), true)
    view.setUint32(at + 8, (selected << 5) | kinds[watch.on] | inPrograms | enabled, true)
  })
  return bytes
}

function lengthOf({ address, size, on }: Watch, architecture: string): number {
  if (on !== 'execute') return size
  // An instruction of Thumb may be half as long, and begin between two words.
  return architecture === 'arm' && (size === 2 || address % 4n !== 0n) ? 2 : 4
}
