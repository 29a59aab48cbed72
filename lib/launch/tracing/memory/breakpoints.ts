/**
 * The breakpoints in a memory: trap instructions, and the bytes that they stand for.
 *
 * The memory of a breakpoint may go, with a library that is unloaded, and another library may come to its address. So a
 * byte is replaced only where it is the one that was put there.
 */

import { isErrno, SystemError } from '../../../system/errors.ts'
import type { System } from '../../../system/system.ts'

const int3 = Uint8Array.of(0xcc)
const brk = Uint8Array.of(0x00, 0x00, 0x20, 0xd4)

/** The address of the instruction that has trapped: int3 leaves the pc after itself, brk at itself. */
export function trapAddress(pc: bigint, architecture: string): bigint {
  return architecture === 'x64' || architecture === 'ia32' ? pc - 1n : pc
}

interface Breakpoint {
  count: number
  isDisabled: boolean
  /** Whether the trap goes back into the memory once it is no longer disabled. */
  isDue: boolean
  readonly trap: Uint8Array
  readonly original: Uint8Array
}

export class Breakpoints {
  readonly #system: System
  readonly #set = new Map<bigint, Breakpoint>()
  /** The removed breakpoints, and their traps: a thread may still have one of those traps pending. */
  readonly #former = new Map<bigint, Uint8Array>()
  /** Whether the breakpoints are kept out of the memory, because an untraced process uses it. */
  #areAllDisabled = false

  constructor(system: System) {
    this.#system = system
  }

  get isEmpty(): boolean {
    return this.#set.size === 0
  }

  has(address: bigint): boolean {
    return this.#set.has(address)
  }

  /** The bytes that the trap of a breakpoint stands for. */
  originalAt(address: bigint): Uint8Array | undefined {
    return this.#set.get(address)?.original
  }

  /** Whether a breakpoint was at the address, and the program has no trap of its own there. */
  wasAt(tid: number, address: bigint): boolean {
    const trap = this.#former.get(address)
    if (trap === undefined) return false
    const bytes = this.#system.readMemory(tid, address, trap.length)
    return bytes.some((byte, i) => byte !== trap[i])
  }

  /** @throws SystemError EFAULT when nothing is mapped at the address, EOPNOTSUPP for 32-bit ARM. */
  insert(tid: number, address: bigint, architecture: string): void {
    const there = this.#set.get(address)
    if (there !== undefined) {
      there.count++
      this.#renew(tid, address, there)
      return
    }
    if (architecture === 'arm') {
      throw new SystemError({
        errno: 'EOPNOTSUPP',
        syscall: 'process_vm_writev',
        pid: tid,
        hint: 'a 32-bit ARM program',
      })
    }
    const trap = architecture === 'arm64' ? brk : int3
    const original = this.#system.readMemory(tid, address, trap.length)
    if (original.length < trap.length) throw new SystemError({ errno: 'EFAULT', syscall: 'process_vm_readv', pid: tid })
    if (!this.#areAllDisabled) this.#system.writeMemory(tid, address, trap)
    this.#set.set(address, { count: 1, isDisabled: false, isDue: false, trap, original })
  }

  remove(tid: number, address: bigint): void {
    const found = this.#set.get(address)
    if (found === undefined || --found.count > 0) return
    this.#set.delete(address)
    this.#former.set(address, found.trap)
    if (!found.isDisabled) this.#replace(tid, address, found.trap, found.original)
  }

  removeAll(tid: number): void {
    this.writeOriginals(tid)
    for (const [address, { trap }] of this.#set) this.#former.set(address, trap)
    this.#set.clear()
  }

  /** Takes all breakpoints out of the memory until enableAll(). */
  disableAll(tid: number): void {
    this.#areAllDisabled = true
    this.writeOriginals(tid)
  }

  enableAll(tid: number): void {
    if (!this.#areAllDisabled) return
    this.#areAllDisabled = false
    for (const [address, breakpoint] of this.#set) {
      if (breakpoint.isDisabled) breakpoint.isDue = true
      else this.#replace(tid, address, breakpoint.original, breakpoint.trap)
    }
  }

  /** Writes the original bytes back, into this memory or a copy of it. */
  writeOriginals(tid: number): void {
    for (const [address, { trap, original }] of this.#set) this.#replace(tid, address, trap, original)
  }

  /** Takes one breakpoint out of the memory until enable(), for a step over it. */
  disable(tid: number, address: bigint): void {
    const found = this.#set.get(address)
    if (found === undefined) return
    found.isDisabled = true
    found.isDue = this.#replace(tid, address, found.trap, found.original)
  }

  enable(tid: number, address: bigint): void {
    const found = this.#set.get(address)
    if (found === undefined) return
    found.isDisabled = false
    if (found.isDue && !this.#areAllDisabled) this.#system.writeMemory(tid, address, found.trap)
  }

  /** Writes `by` where `bytes` are, and nothing where others are, or nothing is mapped; whether it has written. */
  #replace(tid: number, address: bigint, bytes: Uint8Array, by: Uint8Array): boolean {
    try {
      const there = this.#system.readMemory(tid, address, bytes.length)
      if (!isSame(there, bytes)) return false
      this.#system.writeMemory(tid, address, by)
      return true
    } catch (error) {
      if (!isErrno(error, 'EFAULT')) throw error
      return false
    }
  }

  /** Sets the trap of a breakpoint again, if other memory is at its address by now. */
  #renew(tid: number, address: bigint, { trap, original, isDisabled }: Breakpoint): void {
    const there = this.#system.readMemory(tid, address, trap.length)
    if (isDisabled || this.#areAllDisabled || there.length < trap.length || isSame(there, trap)) return
    original.set(there)
    this.#system.writeMemory(tid, address, trap)
  }

  /** Replaces the traps in bytes that were read with the original bytes. */
  hide(address: bigint, bytes: Uint8Array): void {
    this.#overlap(address, bytes, ({ trap, original }, at, i) => {
      if (bytes[at] === trap[i]) bytes[at] = original[i]!
    })
  }

  /** The bytes to write in place of `data`: the traps stay, and the breakpoints keep the bytes that those replace. */
  keep(address: bigint, data: Uint8Array): Uint8Array {
    let kept = data
    this.#overlap(address, data, ({ original, trap, isDisabled }, at, i) => {
      if (kept === data) kept = data.slice()
      original[i] = data[at]!
      if (!isDisabled && !this.#areAllDisabled) kept[at] = trap[i]!
    })
    return kept
  }

  #overlap(address: bigint, bytes: Uint8Array, each: (found: Breakpoint, at: number, i: number) => void): void {
    for (const [start, found] of this.#set) {
      for (let i = 0; i < found.trap.length; i++) {
        const at = Number(start - address) + i
        if (at >= 0 && at < bytes.length) each(found, at, i)
      }
    }
  }
}

function isSame(some: Uint8Array, others: Uint8Array): boolean {
  return some.length === others.length && some.every((byte, i) => byte === others[i])
}
