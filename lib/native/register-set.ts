/** The bytes of NT_PRSTATUS as named registers, and back. */

import { checkAddress, checkObject, invalidValue } from '../system/arguments.ts'
import { arm64Registers, type RegisterName, type Registers, x64Registers } from '../system/registers.ts'

const names: readonly RegisterName[] = process.arch === 'arm64' ? arm64Registers : x64Registers

export const registerSetBytes = names.length * 8

export function decodeRegisters(bytes: Uint8Array): Registers {
  const view = new DataView(bytes.buffer, bytes.byteOffset, registerSetBytes)
  const registers: Registers = {}
  names.forEach((name, i) => {
    registers[name] = view.getBigUint64(i * 8, true)
  })
  return registers
}

/** Refuses a name that this machine has no register for, and a value that is not 64 bits. */
export function checkRegisters(registers: unknown): asserts registers is Registers {
  for (const [name, value] of Object.entries(checkObject(registers, 'registers'))) {
    if (!names.includes(name as RegisterName))
      throw invalidValue('registers', 'names no register of this machine', name)
    checkAddress(value, `registers.${name}`)
  }
}

/** Puts the given registers over those in `bytes`. */
export function overlayRegisters(bytes: Uint8Array, registers: Registers): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, registerSetBytes)
  names.forEach((name, i) => {
    const value = registers[name]
    if (value !== undefined) view.setBigUint64(i * 8, value, true)
  })
}
