import { describe, expect, it } from 'vitest'
import type { Architecture } from '../../lib/system/architecture.ts'
import {
  changeRegisters,
  checkRegisterChanges,
  decodeRegisters,
  encodeRegisters,
  makeRegisters,
  registerNames,
  stackPointerIn,
} from '../../lib/system/registers.ts'

const bytesOf: Record<Architecture, number> = { x64: 216, ia32: 68, arm64: 272, arm: 72 }
const architectures = Object.keys(bytesOf) as Architecture[]
/** Registers that each hold their own index plus one. */
const counted = (architecture: Architecture) => makeRegisters(architecture, index => BigInt(index + 1))
const change = (architecture: Architecture, changes: object) =>
  changeRegisters(counted(architecture), checkRegisterChanges(changes))

describe.each(architectures)('the registers of %s', architecture => {
  it('are recognised by the length of NT_PRSTATUS', () => {
    const bytes = encodeRegisters(counted(architecture))
    expect(bytes).toHaveLength(bytesOf[architecture])
    expect(decodeRegisters(bytes)).toEqual(counted(architecture))
  })

  it('have pc and sp beside the names of the kernel', () => {
    const registers = counted(architecture)
    expect(Object.keys(registers)).toEqual(expect.arrayContaining([...registerNames(architecture), 'pc', 'sp']))
    expect(change(architecture, { pc: 77n, sp: 78n })).toMatchObject({ architecture, pc: 77n, sp: 78n })
  })

  it('have the stack pointer where it is found without the others', () => {
    const registers = counted(architecture)
    expect(stackPointerIn(encodeRegisters(registers))).toBe(Number(registers.sp))
  })

  it('refuse the names of other architectures', () => {
    for (const other of architectures) {
      const foreign = registerNames(other).find(name => !registerNames(architecture).includes(name))
      if (foreign === undefined) continue
      expect(() => change(architecture, { [foreign]: 1n })).toThrow(foreign)
    }
  })
})

it('a register set of no known architecture has no stack pointer, and is not decoded', () => {
  expect(stackPointerIn(new Uint8Array(8))).toBeUndefined()
  expect(() => decodeRegisters(new Uint8Array(8))).toThrow('of no known architecture')
})

describe('changes of registers', () => {
  it('take one register by its name although its alias carries the present value', () => {
    const present = counted('x64')
    expect(change('x64', { ...present, rip: 99n })).toMatchObject({ rip: 99n, pc: 99n, sp: present.sp })
    expect(change('x64', { ...present, pc: 98n })).toMatchObject({ rip: 98n, pc: 98n })
    expect(change('ia32', { ...counted('ia32'), esp: 97n })).toMatchObject({ esp: 97n, sp: 97n })
  })

  it('refuse two new values of one register', () => {
    expect(() => change('x64', { rip: 98n, pc: 99n })).toThrow('which are one register')
    expect(change('x64', { rip: 99n, pc: 99n })).toMatchObject({ rip: 99n, pc: 99n })
  })

  it('refuse a value wider than the register', () => {
    expect(() => change('ia32', { eax: 1n << 32n })).toThrow(RangeError)
    expect(() => change('x64', { rax: 1n << 64n })).toThrow(RangeError)
    expect(change('x64', { rax: (1n << 64n) - 1n })).toMatchObject({ rax: (1n << 64n) - 1n })
  })
})
