/**
 * The registers and the memory of a simulated program, as a tracer sees them.
 *
 * A program is a generator and has no instructions. Its memory is the stack as exec leaves it (argc, argv, env and
 * their strings) and one page that stands for its code; both can be read and written. The program counter cannot be
 * changed: nothing would run there.
 */

import type { Architecture } from '../../system/architecture.ts'
import type { ChildReport } from '../../system/child-program.ts'
import { makeRegisters, type RegisterName, type Registers, registerNames } from '../../system/registers.ts'
import { pageBytes } from '../base/page.ts'
import { EFAULT, EIO } from '../base/results.ts'

const isArm64 = typeof process !== 'undefined' && process.arch === 'arm64'
const architecture: Architecture = isArm64 ? 'arm64' : 'x64'

const codeAddress = 0x401000n
const stackTop = 0x7fff_ffff_f000n
const word = 8

/** The program a process runs, with the arguments of its exec. */
export interface Image {
  readonly path: string
  readonly argv: readonly string[]
  readonly env: readonly string[]
}

/** Bytes at an address. */
interface Region {
  readonly address: bigint
  readonly bytes: Uint8Array
}

/** The memory of one program, laid out at the first access. */
export class Memory {
  /** Tells it from any other, as its random addresses do on Linux. */
  readonly mark: number
  readonly #image: Image
  #regions: readonly Region[] | null = null
  #registers: Registers | null = null
  /** The records that failed children have left here, by pid. Few processes have any. */
  #reports: Map<number, ChildReport> | null = null

  constructor(image: Image, mark: number) {
    this.#image = image
    this.mark = mark
  }

  /** Leaves the record of a child that shares this memory, and whose action has failed. */
  leaveReport(pid: number, report: ChildReport): void {
    this.#reports ??= new Map()
    this.#reports.set(pid, report)
  }

  takeReport(pid: number): ChildReport | undefined {
    const report = this.#reports?.get(pid)
    this.#reports?.delete(pid)
    return report
  }

  get programCounter(): bigint {
    return codeAddress
  }

  /** The registers: those of the first instruction, until a tracer changes them. */
  registers(atExecEvent: boolean): Registers {
    this.#registers ??= this.#initialRegisters()
    if (isArm64 || !atExecEvent) return { ...this.#registers }
    // The execve call has not returned yet: as on Linux, its result register holds -ENOSYS until it does.
    return { ...this.#registers, rax: BigInt.asUintN(64, -38n), orig_rax: 59n } as Registers
  }

  /** Replaces all registers; -EIO for a changed program counter. */
  setRegisters(registers: Registers): number {
    if (registers.pc !== codeAddress) return -EIO
    this.#registers = registers
    return 0
  }

  /** At most `length` bytes, fewer if the range leaves the region; -EFAULT if it begins outside any. */
  read(address: bigint, length: number): Uint8Array | number {
    const found = this.#find(address)
    if (found === undefined) return length === 0 ? new Uint8Array(0) : -EFAULT
    return found.slice(0, length)
  }

  /** The number of bytes written, limited as {@link read} is; -EFAULT if the address is outside any region. */
  write(address: bigint, data: Uint8Array): number {
    const found = this.#find(address)
    if (found === undefined) return data.length === 0 ? 0 : -EFAULT
    const bytes = Math.min(found.length, data.length)
    found.set(data.subarray(0, bytes))
    return bytes
  }

  #find(address: bigint): Uint8Array | undefined {
    this.#regions ??= this.#layOut()
    for (const region of this.#regions) {
      const offset = address - region.address
      if (offset >= 0n && offset < BigInt(region.bytes.length)) return region.bytes.subarray(Number(offset))
    }
    return undefined
  }

  #initialRegisters(): Registers {
    const { stackPointer } = layOutStack(this.#image)
    const values: Partial<Record<RegisterName, bigint>> = isArm64
      ? { sp: stackPointer, pc: codeAddress }
      : {
          rip: codeAddress,
          rsp: stackPointer,
          cs: 0x33n,
          ss: 0x2bn,
          eflags: 0x202n,
          orig_rax: BigInt.asUintN(64, -1n),
        }
    const names = registerNames(architecture)
    return makeRegisters(architecture, i => values[names[i]!] ?? 0n)
  }

  #layOut(): Region[] {
    // The code page is all 0xcc (INT3): a debugger that looks for code to patch finds bytes that would trap.
    return [{ address: codeAddress, bytes: new Uint8Array(pageBytes).fill(0xcc) }, layOutStack(this.#image).region]
  }
}

/** The stack at a program's start: argc, argv, env, an empty auxiliary vector, and above them the strings. */
function layOutStack({ argv, env, path }: Image): { region: Region; stackPointer: bigint } {
  const encoder = new TextEncoder()
  const strings = [...argv, ...env, path].map(text => encoder.encode(`${text}\0`))
  const stringBytes = strings.reduce((sum, bytes) => sum + bytes.length, 0)
  const words = 1 + argv.length + 1 + env.length + 1 + 2
  const used = Math.ceil((words * word + stringBytes) / 16) * 16
  const bytes = new Uint8Array(Math.ceil(used / pageBytes + 1) * pageBytes)
  const base = stackTop - BigInt(bytes.length)
  const start = bytes.length - used
  const view = new DataView(bytes.buffer)
  let at = start
  const push = (value: bigint) => {
    view.setBigUint64(at, value, true)
    at += word
  }
  let next = start + words * word
  const pushStrings = (count: number, from: number) => {
    for (const text of strings.slice(from, from + count)) {
      bytes.set(text, next)
      push(base + BigInt(next))
      next += text.length
    }
    push(0n)
  }
  push(BigInt(argv.length))
  pushStrings(argv.length, 0)
  pushStrings(env.length, argv.length)
  bytes.set(strings.at(-1)!, next)
  return { region: { address: base, bytes }, stackPointer: base + BigInt(start) }
}
