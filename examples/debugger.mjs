// A debugger for programs with threads: node debugger.mjs ./program ARGUMENTS
//
// All threads stop together, as in gdb. `help` lists the commands. An address is a hexadecimal number, or the name of a
// function or variable from the program's symbol table.

import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { launch } from 'tracegate'

/** @typedef {import('tracegate').TracedThread} TracedThread */
/** @typedef {import('tracegate').StopStatus} StopStatus */

/** @typedef {{ name: string, address: bigint, bytes: bigint }} Symbol */

/** The symbols of an ELF file of 64 bits, and whether it runs at any address. @param {string} file */
function readElf(file) {
  const elf = readFileSync(file)
  const at = (/** @type {bigint | number} */ offset) => Number(elf.readBigUInt64LE(Number(offset)))
  const sections = Array.from({ length: elf.readUInt16LE(60) }, (_, i) => at(40) + i * elf.readUInt16LE(58))
  /** @type {Symbol[]} */
  const symbols = []
  for (const section of sections) {
    const isSymbolTable = elf.readUInt32LE(section + 4) === 2
    if (!isSymbolTable) continue
    const names = at(/** @type {number} */ (sections[elf.readUInt32LE(section + 40)]) + 24)
    for (let symbol = at(section + 24); symbol < at(section + 24) + at(section + 32); symbol += 24) {
      const start = names + elf.readUInt32LE(symbol)
      const name = elf.toString('latin1', start, elf.indexOf(0, start))
      const [address, bytes] = [elf.readBigUInt64LE(symbol + 8), elf.readBigUInt64LE(symbol + 16)]
      if (name !== '' && address !== 0n) symbols.push({ name, address, bytes })
    }
  }
  return { symbols, isRelocated: elf.readUInt16LE(16) === 3 }
}

const [program, ...args] = process.argv.slice(2)
if (program === undefined) throw new Error('which program?')
const tracee = await launch(program, args, { stdio: ['ignore', 'inherit', 'inherit'], follow: 'threads' })
const { symbols, isRelocated } = readElf(`/proc/${tracee.pid}/exe`)
// The kernel maps the program first, and the mapping of its first page starts where its address 0 is.
const base = isRelocated ? BigInt(`0x${readFileSync(`/proc/${tracee.pid}/maps`, 'latin1').split('-')[0]}`) : 0n

const hex = (/** @type {bigint} */ value) => `0x${value.toString(16)}`

/** @param {string} [word] */
function addressOf(word = '') {
  const symbol = symbols.find(({ name }) => name === word)
  if (symbol !== undefined) return symbol.address + base
  if (/^(0x)?[0-9a-f]+$/i.test(word)) return BigInt(`0x${word.replace(/^0x/i, '')}`)
  throw new Error(`no symbol and no address: ${word}`)
}

/** An address, with the symbol that it lies in. @param {bigint} address */
function place(address) {
  const found = symbols.find(({ address: start, bytes }) => start + base <= address && address < start + base + bytes)
  return found === undefined ? hex(address) : `${hex(address)} in ${found.name}+${address - base - found.address}`
}

/** @param {TracedThread} thread */
function whereIs(thread) {
  return thread.stop === null ? 'running' : place(thread.registers().pc)
}

/** Why the program has stopped. @param {StopStatus} stop */
function describe({ trap, event, signal }) {
  if (trap?.kind === 'breakpoint') return 'breakpoint'
  if (trap?.kind === 'watch') return `${hex(trap.address)} was ${trap.on === 'write' ? 'written' : 'accessed'}`
  return event === 'exec' ? 'exec' : signal === 'SIGTRAP' ? 'step' : signal
}

/** The thread that the commands are about. */
let current = tracee.mainThread
/** @type {Map<bigint, Disposable>} */
const breakpoints = new Map()

/** Each command: true if the program is to run on. @type {Record<string, (...words: string[]) => boolean | void>} */
const commands = {
  break: word => {
    const address = addressOf(word)
    const former = breakpoints.get(address)
    breakpoints.set(address, tracee.breakpoint(address))
    former?.[Symbol.dispose]()
    console.log(`breakpoint at ${place(address)}`)
  },
  delete: word => {
    const address = addressOf(word)
    breakpoints.get(address)?.[Symbol.dispose]()
    breakpoints.delete(address)
  },
  watch: (word, size = '4') => {
    const bytes = /** @type {1 | 2 | 4 | 8} */ (Number(size))
    tracee.watch(addressOf(word), { size: bytes, on: 'write' })
  },
  continue: () => true,
  step: (count = '1') => {
    for (let left = Number(count); left > 0 && current.stop !== null; left--) {
      current.step()
      if (current.waitSync().kind !== 'stopped') return true
    }
    console.log(whereIs(current))
  },
  threads: () => {
    for (const thread of tracee.threads.values()) {
      console.log(`${thread === current ? '*' : ' '} ${thread.tid} ${whereIs(thread)}`)
    }
  },
  thread: word => {
    const thread = tracee.threads.get(Number(word))
    if (thread === undefined) throw new Error(`no thread ${word}`)
    current = thread
  },
  registers: () => {
    for (const [name, value] of Object.entries(current.registers())) {
      if (typeof value === 'bigint') console.log(`${name.padEnd(10)} ${hex(value)}`)
    }
  },
  memory: (word, length = '16') => {
    console.log(Buffer.from(tracee.readMemory(addressOf(word), Number(length))).toString('hex'))
  },
  quit: () => {
    tracee.kill('SIGKILL')
    return true
  },
  help: () => console.log(Object.keys(commands).join(' ')),
}

const prompt = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' })
const lines = prompt[Symbol.asyncIterator]()

/** Reads and runs commands until one lets the program run. The end of the input is `quit`. */
async function converse() {
  for (;;) {
    prompt.prompt()
    const { value: line = 'quit', done } = await lines.next()
    const [name = '', ...words] = (done ? 'quit' : line).trim().split(/\s+/)
    // The beginning of a name is enough: `c` continues.
    const command = Object.keys(commands).find(known => name !== '' && known.startsWith(name))
    try {
      if (command === undefined)
        throw new Error(`unknown command: ${name}; there are ${Object.keys(commands).join(', ')}`)
      if (commands[command]?.(...words)) return
    } catch (error) {
      console.log(error instanceof Error ? error.message : error)
    }
  }
}

for await (const { thread, stop } of tracee.everyStop()) {
  const isOfInterest = stop.event === undefined || stop.event === 'exec'
  if (isOfInterest) {
    await tracee.stopAll()
    current = thread
    console.log(`thread ${thread.tid}: ${describe(stop)}, ${whereIs(thread)}`)
    await converse()
    tracee.contAll()
  }
  if (stop.reason === 'group') thread.listen()
  // The commands may have stepped it to another stop.
  else if (thread.stop === stop && stop.event === undefined && stop.trap === undefined) thread.cont(stop.signal)
  else if (thread.stop !== null) thread.cont()
}
prompt.close()
const { code, signal } = await tracee.exited
console.log(signal === null ? `exited with ${code}` : `killed by ${signal}`)
process.exitCode = code ?? 1
