/** test/fixtures/debuggee.c as a debugger sees it: its functions, variables and lines, by nm and objdump. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { describe } from 'vitest'
import { type LaunchOptions, launch, type Registers, type TracedThread, type Tracee } from '../../../../../lib/index.ts'
import { compileFixture, whyNoCompiler } from '../../../../support/c-program.ts'
import { whyNoNative } from '../../../../support/native.ts'
import { whyNot } from '../../../support/node.ts'

const whyNoDebuggee = whyNoNative ?? whyNoCompiler ?? whyNot('nm') ?? whyNot('objdump')

/** A block of tests of a debugger, skipped where its program cannot be made, or is for another machine. */
export function describeDebugger(title: string, body: () => void, machine: string = process.arch): void {
  const skip = whyNoDebuggee ?? (process.arch === machine ? undefined : `it is for ${machine}`)
  describe.skipIf(skip !== undefined)(skip === undefined ? title : `${title} [skipped: ${skip}]`, body)
}

export const isArm64 = process.arch === 'arm64'

const brk = Buffer.from([0x00, 0x00, 0x20, 0xd4])

// On arm64 a function that calls none would have no frame.
const flags = ['-O0', '-g', '-fno-omit-frame-pointer', '-mno-omit-leaf-frame-pointer']

/** The path of the compiled program. */
export const compileDebuggee = () => compileFixture('debuggee', [...flags, '-pthread', '-ldl'])
/** The path of the compiled library. */
export const compileLibrary = () => compileFixture('debuggee-library', [...flags, '-shared', '-fPIC'])

interface Named {
  readonly name: string
  readonly address: bigint
  readonly bytes: bigint
}

/** The symbols of a file, at the addresses that it was linked for. */
export function symbolsOf(file: string): Named[] {
  const lines = execFileSync('nm', ['--defined-only', '--print-size', file], { encoding: 'utf8' }).trim().split('\n')
  return lines.map(line => {
    const [, address, bytes = '0', name = ''] = /^(\w+) (?:(\w+) )?\w (\S+)$/.exec(line) ?? []
    return { name, address: BigInt(`0x${address ?? 0}`), bytes: BigInt(`0x${bytes}`) }
  })
}

interface Row {
  readonly line: number
  readonly address: bigint
}

/** The line table of a program, by address: each row is the start of a line's code. */
function rowsOf(program: string): Row[] {
  const table = execFileSync('objdump', ['--dwarf=decodedline', program], { encoding: 'utf8' })
  const rows = [...table.matchAll(/^\S+ +(\d+) +0x([0-9a-f]+)/gm)].map(([, line, address]) => {
    return { line: Number(line), address: BigInt(`0x${address}`) }
  })
  return rows
    .sort((a, b) => Number(a.address - b.address))
    .filter(({ line }, i, sorted) => line !== sorted[i - 1]?.line)
}

const source = readFileSync(new URL('../../../../fixtures/debuggee.c', import.meta.url), 'utf8').split('\n')

/** The number of the line with this comment. */
export const numberOf = (comment: string) => source.findIndex(text => text.endsWith(`// line: ${comment}`)) + 1

/** A word of a process's auxiliary vector (AT_ENTRY is 9, AT_PHDR 3). */
export function auxiliary(pid: number, type: bigint): bigint {
  const words = new BigUint64Array(Uint8Array.from(readFileSync(`/proc/${pid}/auxv`)).buffer)
  for (let i = 0; i < words.length; i += 2) if (words[i] === type) return words[i + 1]!
  throw new Error(`no auxiliary vector entry ${type}`)
}

/** What is known of the program, read once. */
class Facts {
  readonly program = compileDebuggee()
  readonly symbols = symbolsOf(this.program)
  readonly rows = rowsOf(this.program)
  readonly entry = readFileSync(this.program).readBigUInt64LE(24)
}

let facts: Facts | undefined

/** The addresses of the program in one process. */
export class Places {
  readonly #facts: Facts
  readonly entry: bigint
  readonly #base: bigint

  constructor(pid: number) {
    facts ??= new Facts()
    this.#facts = facts
    this.entry = auxiliary(pid, 9n)
    this.#base = this.entry - this.#facts.entry
  }

  /** The address of a function or a variable. */
  of(name: string): bigint {
    const found = this.#facts.symbols.find(each => each.name === name)
    if (found === undefined) throw new Error(`no symbol ${name}`)
    return found.address + this.#base
  }

  /** The function that an address lies in. */
  functionAt(address: bigint): string | undefined {
    const at = address - this.#base
    return this.#facts.symbols.find(each => each.address <= at && at < each.address + each.bytes)?.name
  }

  /** The addresses at which a line's code starts. */
  ofLine(comment: string): bigint[] {
    const line = numberOf(comment)
    return this.#facts.rows.filter(row => row.line === line).map(row => row.address + this.#base)
  }

  /** The line that an address belongs to. */
  lineAt(address: bigint): number | undefined {
    return this.#facts.rows.findLast(row => row.address <= address - this.#base)?.line
  }
}

/** Launches a part of the program. Its standard input and output are pipes. */
export async function start(args: readonly string[], options: Pick<LaunchOptions, 'aslr' | 'env' | 'follow'> = {}) {
  const stdio = ['pipe', 'pipe', 'inherit'] as const
  const tracee = await launch(compileDebuggee(), args, { follow: 'threads', ...options, stdio })
  const lines = createInterface({ input: tracee.stdout })[Symbol.asyncIterator]()
  return {
    tracee,
    places: new Places(tracee.pid),
    nextLine: async (): Promise<string | undefined> => (await lines.next()).value,
    /** Runs it to its next stop, which must be a trap. */
    untilTrap: async () => {
      tracee.cont()
      const status = await tracee.wait()
      if (status.kind !== 'stopped' || status.signal !== 'SIGTRAP')
        throw new Error(`no trap: ${JSON.stringify(status)}`)
      // Unlike an int3, a brk of the program leaves the pc at itself.
      const { pc } = tracee.registers()
      if (!status.trap && brk.equals(tracee.readMemory(pc, 4))) tracee.setRegisters({ pc: pc + 4n })
      return status
    },
    [Symbol.asyncDispose]: () => tracee[Symbol.asyncDispose](),
  }
}

/** The first argument, at the first instruction of a function. */
export function firstArgumentOf(thread: Pick<TracedThread, 'registers'>): bigint {
  const registers = thread.registers()
  return registers.architecture === 'arm64' ? registers.x0 : registersOf(thread).rdi
}

/** Where a function returns to, at its first instruction. */
export function returnAddressOf(thread: Pick<Tracee, 'registers' | 'readMemory'>): bigint {
  const registers = thread.registers()
  return registers.architecture === 'arm64' ? registers.x30 : wordAt(thread, registers.sp)
}

/** The frame pointer: it points at that of the caller, above which is where the function returns to. */
export function framePointerOf(thread: Pick<TracedThread, 'registers'>): bigint {
  const registers = thread.registers()
  return registers.architecture === 'arm64' ? registers.x29 : registersOf(thread).rbp
}

/** What a function or a system call has returned. */
export function resultOf(thread: Pick<TracedThread, 'registers'>): bigint {
  const registers = thread.registers()
  return registers.architecture === 'arm64' ? registers.x0 : registersOf(thread).rax
}

/** The registers of a thread, which runs 64-bit code of x64. */
export function registersOf(thread: Pick<TracedThread, 'registers'>): Extract<Registers, { architecture: 'x64' }> {
  const registers = thread.registers()
  if (registers.architecture !== 'x64') throw new Error(`the thread is ${registers.architecture}`)
  return registers
}

/** A word of a process's memory. */
export function wordAt(memory: { readMemory(address: bigint, into: number): Uint8Array }, address: bigint): bigint {
  return Buffer.from(memory.readMemory(address, 8)).readBigUInt64LE()
}
