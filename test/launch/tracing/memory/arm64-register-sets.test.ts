/** The register sets of arm64's debug registers, byte by byte. */

import { describe, expect, it } from 'vitest'
import { encodeRegisters, registersIn } from '../../../../lib/launch/tracing/memory/arm64-register-sets.ts'
import type { Slots, Watch } from '../../../../lib/launch/tracing/memory/debug-registers.ts'

/** The registers of a set: address and control word each. */
function registers(slots: Slots, count: number, architecture = 'arm64'): [address: bigint, control: number][] {
  const bytes = encodeRegisters(slots, count, architecture)
  const view = new DataView(bytes.buffer)
  expect(bytes.length).toBe(8 + 16 * count)
  return Array.from({ length: count }, (_, i) => [
    view.getBigUint64(8 + 16 * i, true),
    view.getUint32(16 + 16 * i, true),
  ])
}

const watch = (address: bigint, size: Watch['size'], on: Watch['on']): Watch => ({ address, size, on })
/** BAS, the selected bytes; LSC, loads or stores; PAC, unprivileged; E, enabled. */
const control = (selected: number, accesses: number) => (selected << 5) | (accesses << 3) | (2 << 1) | 1

describe('the register set of the kernel', () => {
  it('says in its first byte how many registers there are', () => {
    expect(registersIn(Uint8Array.of(6, 8, 0, 0, 0, 0, 0, 0))).toBe(6)
    expect(registersIn(new Uint8Array())).toBe(0)
  })
})

describe('a register set', () => {
  it('has a register for each watch, at the watch’s place, and the others off', () => {
    const slots = [undefined, watch(0xffff_8000_1234_5678n, 8, 'write'), undefined, watch(0x1000n, 8, 'access')]
    expect(registers(slots, 5)).toEqual([
      [0n, 0],
      [0xffff_8000_1234_5678n, control(0xff, 2)],
      [0n, 0],
      [0x1000n, control(0xff, 3)],
      [0n, 0],
    ])
    expect(registers([], 0)).toEqual([])
  })

  it.each([
    [0x1000n, 1, 0b1],
    [0x1007n, 1, 0b1000_0000],
    [0x1002n, 2, 0b1100],
    [0x1004n, 4, 0b1111_0000],
  ] as const)('selects of the eight bytes at 0x1000 those at %d, %i of them', (address, size, selected) => {
    expect(registers([watch(address, size, 'write')], 1)).toEqual([[0x1000n, control(selected, 2)]])
  })

  it('stops at a whole instruction of arm64, whatever size was given', () => {
    for (const size of [1, 2, 4] as const) {
      expect(registers([watch(0x1004n, size, 'execute')], 1)).toEqual([[0x1004n, control(0b1111, 0)]])
    }
  })

  it('stops at half a word where an instruction of Thumb may be', () => {
    expect(registers([watch(0x1002n, 2, 'execute')], 1, 'arm')).toEqual([[0x1000n, control(0b1100, 0)]])
    expect(registers([watch(0x1002n, 4, 'execute')], 1, 'arm')).toEqual([[0x1000n, control(0b1100, 0)]])
    expect(registers([watch(0x1000n, 2, 'execute')], 1, 'arm')).toEqual([[0x1000n, control(0b0011, 0)]])
    expect(registers([watch(0x1000n, 4, 'execute')], 1, 'arm')).toEqual([[0x1000n, control(0b1111, 0)]])
  })
})
