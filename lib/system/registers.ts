/**
 * The general-purpose registers of a tracee by name, in the layout of ptrace(2)'s NT_PRSTATUS.
 *
 * The length that the kernel returns identifies the architecture: a 64-bit machine runs 32-bit programs, too.
 */

import type { Architecture } from './architecture.ts'
import { checkAddress, checkObject, invalidType, invalidValue, outOfRange } from './arguments.ts'

/** user_regs_struct of x86-64, in its order. */
// biome-ignore format: the layout mirrors the struct
const x64Names = [
  'r15', 'r14', 'r13', 'r12', 'rbp', 'rbx', 'r11', 'r10', 'r9', 'r8', 'rax', 'rcx', 'rdx', 'rsi', 'rdi', 'orig_rax',
  'rip', 'cs', 'eflags', 'rsp', 'ss', 'fs_base', 'gs_base', 'ds', 'es', 'fs', 'gs',
] as const

/** user_regs_struct32 of x86-64, which is that of i386, in its order. */
// biome-ignore format: the layout mirrors the struct
const ia32Names = [
  'ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp', 'eax', 'ds', 'es', 'fs', 'gs', 'orig_eax', 'eip', 'cs', 'eflags', 'esp', 'ss',
] as const

/** user_pt_regs of arm64, in its order. */
// biome-ignore format: the layout mirrors the struct
const arm64Names = [
  'x0', 'x1', 'x2', 'x3', 'x4', 'x5', 'x6', 'x7', 'x8', 'x9', 'x10', 'x11', 'x12', 'x13', 'x14', 'x15', 'x16', 'x17',
  'x18', 'x19', 'x20', 'x21', 'x22', 'x23', 'x24', 'x25', 'x26', 'x27', 'x28', 'x29', 'x30', 'sp', 'pc', 'pstate',
] as const

/** pt_regs of arm, in its order. */
// biome-ignore format: the layout mirrors the struct
const armNames = [
  'r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9', 'r10', 'r11', 'r12', 'sp', 'lr', 'pc', 'cpsr', 'orig_r0',
] as const

interface NamesOf {
  x64: (typeof x64Names)[number]
  ia32: (typeof ia32Names)[number]
  arm64: (typeof arm64Names)[number]
  arm: (typeof armNames)[number]
}

/** A register's name on one architecture; by default on any. */
export type RegisterName<A extends Architecture = Architecture> = NamesOf[A]

type RegistersOf<A extends Architecture> = {
  readonly architecture: A
  /** The program counter: rip, eip. */
  pc: bigint
  /** The stack pointer: rsp, esp. */
  sp: bigint
} & { [name in RegisterName<A>]: bigint }

/**
 * A tracee's registers as unsigned integers, under the kernel's names, plus `pc` and `sp` on every architecture.
 *
 * @example if (registers.architecture === 'x64') console.log(registers.rdi)
 */
export type Registers = { [A in Architecture]: RegistersOf<A> }[Architecture]

/** Registers to set. Those left out keep their values. */
export type RegisterChanges = Partial<Registers>

/** An architecture's register layout: the order of the names, the bytes of each, the meaning of `pc` and `sp`. */
interface Layout {
  readonly names: readonly RegisterName[]
  readonly width: 4 | 8
  readonly pc: RegisterName
  readonly sp: RegisterName
}

const layouts: Readonly<Record<Architecture, Layout>> = {
  x64: { names: x64Names, width: 8, pc: 'rip', sp: 'rsp' },
  ia32: { names: ia32Names, width: 4, pc: 'eip', sp: 'esp' },
  arm64: { names: arm64Names, width: 8, pc: 'pc', sp: 'sp' },
  arm: { names: armNames, width: 4, pc: 'pc', sp: 'sp' },
}

const architectures = Object.keys(layouts) as Architecture[]
const sizeOf = ({ names, width }: Layout) => names.length * width
const isKnown = (name: string) => architectures.some(each => (layouts[each].names as readonly string[]).includes(name))

/** The largest register set of any architecture, in bytes. */
export const mostRegisterBytes = Math.max(...Object.values(layouts).map(sizeOf))

/** The names of an architecture's registers, in the kernel's order. */
export function registerNames(architecture: Architecture): readonly RegisterName[] {
  return layouts[architecture].names
}

/** Builds registers from values in the order of their names. */
export function makeRegisters(architecture: Architecture, value: (index: number) => bigint): Registers {
  const { names, pc, sp } = layouts[architecture]
  const registers: Record<string, bigint> = {}
  names.forEach((name, i) => {
    registers[name] = value(i)
  })
  return { architecture, ...registers, pc: registers[pc], sp: registers[sp] } as Registers
}

function architectureOf({ length }: Uint8Array): Architecture | undefined {
  return architectures.find(each => sizeOf(layouts[each]) === length)
}

/** Decodes NT_PRSTATUS. Its length selects the architecture. */
export function decodeRegisters(bytes: Uint8Array): Registers {
  const architecture = architectureOf(bytes)
  if (architecture === undefined) throw new Error(`a register set of ${bytes.length} bytes is of no known architecture`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const { width } = layouts[architecture]
  return makeRegisters(architecture, i =>
    width === 8 ? view.getBigUint64(i * 8, true) : BigInt(view.getUint32(i * 4, true)),
  )
}

/** The stack pointer in NT_PRSTATUS; undefined for no known architecture. To decode all registers takes longer. */
export function stackPointerIn(bytes: Uint8Array): number | undefined {
  const architecture = architectureOf(bytes)
  if (architecture === undefined) return undefined
  const { names, width, sp } = layouts[architecture]
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const at = names.indexOf(sp) * width
  return width === 8 ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true)
}

/** Encodes NT_PRSTATUS. */
export function encodeRegisters(registers: Registers): Uint8Array {
  const layout = layouts[registers.architecture]
  const bytes = new Uint8Array(sizeOf(layout))
  const view = new DataView(bytes.buffer)
  layout.names.forEach((name, i) => {
    const value = (registers as Record<string, unknown>)[name] as bigint
    if (layout.width === 8) view.setBigUint64(i * 8, value, true)
    else view.setUint32(i * 4, Number(value), true)
  })
  return bytes
}

/** Changes that passed every check that needs no tracee. */
export interface CheckedChanges {
  readonly architecture: Architecture | undefined
  readonly values: ReadonlyMap<string, bigint>
}

/** Refuses names that no architecture has, and values that are no unsigned 64-bit integer. */
export function checkRegisterChanges(changes: unknown): CheckedChanges {
  const values = new Map<string, bigint>()
  let architecture: Architecture | undefined
  for (const [name, value] of Object.entries(checkObject(changes, 'registers'))) {
    if (value === undefined) continue
    if (name === 'architecture') {
      if (typeof value !== 'string') throw invalidType('registers.architecture', 'of type string', value)
      if (!architectures.includes(value as Architecture)) {
        throw invalidValue('registers.architecture', `must be one of ${architectures.join(', ')}`, value)
      }
      architecture = value as Architecture
    } else {
      if (name !== 'pc' && name !== 'sp' && !isKnown(name)) throw invalidValue('registers', 'names no register', name)
      values.set(name, checkAddress(value, `registers.${name}`))
    }
  }
  return { architecture, values }
}

/**
 * Applies the changes. Refuses changes for another architecture than the tracee's.
 *
 * `{ ...registers, rip }` also carries the old `pc`: of a register and its alias, the one that differs from the present
 * value counts.
 */
export function changeRegisters(registers: Registers, { architecture, values }: CheckedChanges): Registers {
  const own = registers.architecture
  if (architecture !== undefined && architecture !== own) {
    throw invalidValue('registers.architecture', `must be that of the tracee, which is ${own}`, architecture)
  }
  const layout = layouts[own]
  const changed: Record<string, bigint> = {}
  for (const [given, value] of values) {
    const name = given === 'pc' ? layout.pc : given === 'sp' ? layout.sp : given
    if (!layout.names.includes(name as RegisterName)) {
      throw invalidValue('registers', `names no register of the tracee, which is ${own}`, given)
    }
    if (layout.width === 4 && value > 0xffff_ffffn) throw outOfRange(`registers.${given}`, 'within 32 bits', value)
    const present = (registers as unknown as Record<string, bigint>)[name]
    const other = changed[name]
    if (other !== undefined && other !== value && other !== present && value !== present) {
      const alias = name === layout.pc ? 'pc' : 'sp'
      throw invalidValue('registers', `gives ${name} and ${alias}, which are one register, different values`)
    }
    if (other === undefined || other === present) changed[name] = value
  }
  const { pc, sp, ...named } = registers
  const all: Record<string, bigint> = { ...named, [layout.pc]: pc, [layout.sp]: sp, ...changed } as never
  return { ...all, architecture: own, pc: all[layout.pc], sp: all[layout.sp] } as Registers
}
