/** Shared libraries: the loader's own account of them (r_debug), and a breakpoint in one that is loaded later. */

import { expect, it } from 'vitest'
import type { Tracee } from '../../../../lib/index.ts'
import {
  auxiliary,
  compileLibrary,
  describeDebugger,
  framePointerOf,
  returnAddressOf,
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

type Debuggee = Awaited<ReturnType<typeof start>>

/** Runs to the entry point: the loader has done its work by then. Resolves with the address of its struct r_debug. */
async function untilLoader({ tracee, places, untilTrap }: Debuggee): Promise<bigint> {
  using _ = tracee.breakpoint(places.entry)
  await untilTrap()
  return loaderDebug(tracee)
}

/** Runs to the next change of what is loaded, at the breakpoint that the loader offers for it. */
async function untilChange({ tracee, untilTrap }: Debuggee, debug: bigint): Promise<Map<string, bigint>> {
  using _ = tracee.breakpoint(wordAt(tracee, debug + 16n))
  const before = loaded(tracee, debug).size
  for (;;) {
    await untilTrap()
    const now = loaded(tracee, debug)
    const state = Buffer.from(tracee.readMemory(debug + 24n, 4)).readInt32LE()
    if (state === consistent && now.size !== before) return now
  }
}

describeDebugger('a debugger', () => {
  const answerIn = (files: Map<string, bigint>, library: string) =>
    files.get(library)! + symbolsOf(library).find(({ name }) => name === 'answer')!.address

  it('hears of each library that is loaded and unloaded, and stops in a function of it', async () => {
    const library = compileLibrary()
    await using debuggee = await start(['library', library])
    const { tracee, places, untilTrap } = debuggee
    const debug = await untilLoader(debuggee)
    const [first] = loaded(tracee, debug).keys()
    expect([first, loaded(tracee, debug).has(library)], 'the program itself comes first').toEqual(['', false])

    const files = await untilChange(debuggee, debug)
    const answer = answerIn(files, library)
    const atAnswer = tracee.breakpoint(answer)
    expect(await untilTrap()).toMatchObject({ trap: { address: answer } })
    // At its first instruction the function has no frame of its own.
    const callers = [returnAddressOf(tracee), wordAt(tracee, framePointerOf(tracee) + 8n)]
    expect(callers.map(address => places.functionAt(address))).toEqual(['useLibrary', 'main'])
    atAnswer[Symbol.dispose]()

    expect((await untilChange(debuggee, debug)).has(library)).toBe(false)
    await untilTrap()
    tracee.cont()
    expect(await tracee.exited).toMatchObject({ code: 42 })
  })

  it('stops in a library that is loaded once more, at the breakpoint that is set once more', async () => {
    const library = compileLibrary()
    await using debuggee = await start(['library', library, library])
    const { tracee, untilTrap } = debuggee
    const debug = await untilLoader(debuggee)
    for (let round = 0; round < 2; round++) {
      const files = await untilChange(debuggee, debug)
      const address = answerIn(files, library)
      // The first one stays, though its memory goes.
      tracee.breakpoint(address)
      expect(await untilTrap()).toMatchObject({ trap: { kind: 'breakpoint', address } })
      expect((await untilChange(debuggee, debug)).has(library)).toBe(false)
      await untilTrap()
    }
    tracee.cont()
    expect(await tracee.exited).toMatchObject({ code: 84 })
  })

  it('lets a program go whose library is gone, with a breakpoint in it, and takes out the others', async () => {
    const library = compileLibrary()
    await using debuggee = await start(['library', library])
    const { tracee, places, nextLine, untilTrap } = debuggee
    const files = await untilChange(debuggee, await untilLoader(debuggee))
    const [answer, innocent] = [answerIn(files, library), places.of('innocent')]
    for (const address of [answer, innocent]) tracee.breakpoint(address)
    expect(await untilTrap()).toMatchObject({ trap: { address: answer } })
    expect(await untilTrap(), 'after dlclose()').toEqual({ kind: 'stopped', signal: 'SIGTRAP' })
    expect(() => tracee.readMemory(answer, 1)).toThrow(expect.objectContaining({ code: 'EFAULT' }))
    await tracee.detach({ signal: 0 })
    expect(await nextLine()).toBe('innocent')
    expect(await tracee.exited).toMatchObject({ code: 42 })
  })
})
