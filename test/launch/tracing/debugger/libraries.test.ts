/** Shared libraries: the loader's own account of them (r_debug), and a breakpoint in one that is loaded later. */

import { expect, it } from 'vitest'
import type { Tracee } from '../../../../lib/index.ts'
import {
  auxiliary,
  compileLibrary,
  describeDebugger,
  registersOf,
  start,
  symbolsOf,
  wordAt,
} from './support/debuggee.ts'

// elf.h and link.h
const [atProgramHeaders, programHeaderBytes, programHeaders, dynamic, selfHeaders, debugTag] = [3n, 56n, 24n, 2, 6, 21n]
const consistent = 0

/** The address of the loader's struct r_debug, once the loader has begun: the entry DT_DEBUG of the dynamic section. */
function loaderDebug(tracee: Tracee): bigint {
  const headers = auxiliary(tracee.pid, atProgramHeaders)
  let base = 0n
  for (let header = headers; header < headers + programHeaders * programHeaderBytes; header += programHeaderBytes) {
    const type = Buffer.from(tracee.readMemory(header, 4)).readUInt32LE()
    const address = wordAt(tracee, header + 16n)
    if (type === selfHeaders) base = headers - address
    if (type !== dynamic) continue
    for (let entry = base + address; ; entry += 16n) {
      if (wordAt(tracee, entry) === debugTag) return wordAt(tracee, entry + 8n)
    }
  }
  throw new Error('the program is static')
}

/** The files that are loaded, each with the difference of its addresses in memory and in the file. */
function loaded(tracee: Tracee, debug: bigint): Map<string, bigint> {
  const files = new Map<string, bigint>()
  for (let map = wordAt(tracee, debug + 8n); map !== 0n; map = wordAt(tracee, map + 24n)) {
    const name = Buffer.from(tracee.readMemory(wordAt(tracee, map + 8n), 4096))
    files.set(name.toString('latin1', 0, name.indexOf(0)), wordAt(tracee, map))
  }
  return files
}

describeDebugger('a debugger', () => {
  it('hears of each library that is loaded and unloaded, and stops in a function of it', async () => {
    const library = compileLibrary()
    const offset = symbolsOf(library).find(({ name }) => name === 'answer')!.address
    await using debuggee = await start('library', library)
    const { tracee, places, untilTrap } = debuggee
    const atEntry = tracee.breakpoint(places.entry)
    await untilTrap()
    atEntry[Symbol.dispose]()
    const debug = loaderDebug(tracee)
    const [first] = loaded(tracee, debug).keys()
    expect([first, loaded(tracee, debug).has(library)], 'the program itself comes first').toEqual(['', false])

    const change = wordAt(tracee, debug + 16n)
    using _ = tracee.breakpoint(change)
    const seen: unknown[] = []
    let answer: bigint | undefined
    for (;;) {
      tracee.cont()
      const status = await tracee.wait()
      if (status.kind !== 'stopped') break
      const { pc, sp } = tracee.registers()
      if (pc === answer) {
        // At the first instruction of a function the return address is on top of the stack.
        const callers = [wordAt(tracee, sp), wordAt(tracee, registersOf(tracee).rbp + 8n)]
        seen.push('answer', ...callers.map(address => places.functionAt(address)))
        continue
      }
      expect(pc).toBe(change)
      if (Buffer.from(tracee.readMemory(debug + 24n, 4)).readInt32LE() !== consistent) continue
      const base = loaded(tracee, debug).get(library)
      if ((base === undefined) === (answer === undefined)) continue
      seen.push(base === undefined ? 'unloaded' : 'loaded')
      answer = base === undefined ? undefined : base + offset
      if (answer !== undefined) tracee.breakpoint(answer)
    }
    expect(seen).toEqual(['loaded', 'answer', 'useLibrary', 'main', 'unloaded'])
    expect(await tracee.exited).toMatchObject({ code: 42 })
  })
})
