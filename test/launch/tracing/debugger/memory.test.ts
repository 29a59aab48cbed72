/** Memory and variables of a stopped program. */

import { expect, it } from 'vitest'
import type { Tracee } from '../../../../lib/index.ts'
import { describeDebugger, start, wordAt } from './support/debuggee.ts'

/** The text up to its NUL, read in pieces that may end anywhere. */
function textAt(tracee: Tracee, address: bigint): string {
  let text = ''
  for (let at = address; !text.includes('\0'); at += 3n) {
    text += Buffer.from(tracee.readMemory(at, 3)).toString('latin1')
  }
  return text.slice(0, text.indexOf('\0'))
}

describeDebugger('a debugger', () => {
  it('reads a variable, and writes one that the program then prints', async () => {
    await using debuggee = await start(['memory'])
    const { tracee, places, nextLine, untilTrap } = debuggee
    await untilTrap()
    expect(wordAt(tracee, places.of('watched'))).toBe(7n)
    const written = Buffer.from('from outside\0')
    expect(tracee.writeMemory(places.of('text'), written)).toBe(written.length)
    tracee.cont()
    expect(await nextLine()).toBe('from outside')
    expect(await tracee.exited).toMatchObject({ code: 8 })
  })

  it('follows the pointers of a structure to its elements, bit fields too', async () => {
    await using debuggee = await start(['memory'])
    const { tracee, places } = debuggee
    // Position-independent: the loader fills the pointers in before the program begins.
    using _ = tracee.breakpoint(places.entry)
    await debuggee.untilTrap()
    const harbour = places.of('harbour')
    const ships = wordAt(tracee, harbour + 8n)
    const count = Buffer.from(tracee.readMemory(harbour + 16n, 4)).readInt32LE()
    expect([textAt(tracee, wordAt(tracee, harbour)), ships, count]).toEqual(['Lund', places.of('ships'), 2])
    const found = Array.from({ length: count }, (_, i) => {
      const ship = ships + 16n * BigInt(i)
      const [bits = 0] = tracee.readMemory(ship + 8n, 1)
      return { name: textAt(tracee, wordAt(tracee, ship)), crew: bits & 0x1f, masts: bits >> 5 }
    })
    expect(found).toEqual([
      { name: 'Vega', crew: 17, masts: 3 },
      { name: 'Lyra', crew: 4, masts: 1 },
    ])
  })

  it('patches the code of a function, beside a breakpoint in it', async () => {
    await using debuggee = await start(['functions'])
    const { tracee, places, untilTrap } = debuggee
    const address = places.of('depth')
    using breakpoint = tracee.breakpoint(address)
    await untilTrap()
    // mov $100, %eax; ret
    tracee.writeMemory(address, Uint8Array.of(0xb8, 100, 0, 0, 0, 0xc3))
    expect(tracee.readMemory(address, 2)).toEqual(Uint8Array.of(0xb8, 100))
    breakpoint[Symbol.dispose]()
    tracee.cont()
    // Four times 42, and what depth() gives now.
    expect(await tracee.exited).toMatchObject({ code: (42 + 4 * 42 + 100) & 0xff })
  })
})
