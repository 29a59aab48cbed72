/** Debug registers: what a breakpoint cannot do, and how watched addresses and breakpoints go together. */

import { expect, it } from 'vitest'
import { describeWatching } from '../../support/debug-registers.ts'
import { describeDebugger, firstArgumentOf, start } from './support/debuggee.ts'

describeDebugger('a debugger', () => {
  /** Runs a part that looks for breakpoints in its code to the function that it looks at; returns what it says. */
  async function looked(kind: 'breakpoint' | 'watch'): Promise<unknown[]> {
    await using debuggee = await start(['checksum'])
    const { tracee, places, nextLine, untilTrap } = debuggee
    const address = places.of('innocent')
    await untilTrap()
    using _ = kind === 'breakpoint' ? tracee.breakpoint(address) : tracee.watch(address, { size: 1, on: 'execute' })
    expect(await untilTrap()).toMatchObject({ trap: { kind, address } })
    expect(tracee.registers().pc).toBe(address)
    const said = [await nextLine()]
    tracee.cont()
    said.push(await nextLine())
    expect(await tracee.exited).toMatchObject({ code: 0 })
    return said
  }

  it('is seen by a program that looks for breakpoints in its code', async () => {
    expect(await looked('breakpoint')).toEqual(['altered', 'innocent'])
  })

  describeWatching('with debug registers', () => {
    it('is not seen with a debug register by a program that looks for breakpoints in its code', async () => {
      expect(await looked('watch')).toEqual(['untouched', 'innocent'])
    })

    it('sets a breakpoint behind the back of a check, once the check has read it', async () => {
      await using debuggee = await start(['checksum'])
      const { tracee, places, nextLine, untilTrap } = debuggee
      const address = places.of('innocent')
      await untilTrap()
      // The check must have read each byte that the breakpoint replaces.
      const last = address + (process.arch === 'arm64' ? 3n : 0n)
      const watch = tracee.watch(last, { size: 1, on: 'access' })
      expect(await untilTrap()).toMatchObject({ trap: { kind: 'watch', address: last, on: 'access' } })
      expect(places.functionAt(tracee.registers().pc)).toBe('checksum')
      watch[Symbol.dispose]()
      using _ = tracee.breakpoint(address)
      expect(await untilTrap()).toMatchObject({ trap: { kind: 'breakpoint', address } })
      expect(await nextLine()).toBe('untouched')
      tracee.cont()
      expect(await nextLine()).toBe('innocent')
    })

    it('stops at each access to a watched variable, after it', async () => {
      await using debuggee = await start(['memory'])
      const { tracee, places, untilTrap } = debuggee
      const address = places.of('watched')
      await untilTrap()
      const watch = tracee.watch(address, { size: 8, on: 'access' })
      const values: unknown[] = []
      for (;;) {
        tracee.cont()
        const status = await tracee.wait()
        if (status.kind !== 'stopped') break
        expect(status.trap).toEqual({ kind: 'watch', address, on: 'access' })
        expect(places.functionAt(tracee.registers().pc)).toBe('useMemory')
        values.push(tracee.readMemory(address, 1)[0])
        // The return value is read last; without the watch nothing stops it.
        if (values.length === 2) watch[Symbol.dispose]()
      }
      expect(values).toEqual([7, 8])
      expect(await tracee.exited).toMatchObject({ code: 8 })
    })

    it('goes on over a watched instruction that the program is at, and stops there the next time', async () => {
      await using debuggee = await start(['functions'])
      const { tracee, places, untilTrap } = debuggee
      const address = places.of('depth')
      const first = tracee.breakpoint(address)
      await untilTrap()
      first[Symbol.dispose]()
      using _ = tracee.watch(address, { size: 1, on: 'execute' })
      const left: bigint[] = []
      for (let hit = 0; hit < 3; hit++) {
        expect(await untilTrap()).toMatchObject({ trap: { kind: 'watch', address, on: 'execute' } })
        left.push(firstArgumentOf(tracee))
      }
      expect(left).toEqual([2n, 1n, 0n])
      tracee.cont()
      expect(await tracee.exited).toMatchObject({ kind: 'exited' })
    })

    it('is told of a step that comes to a watched instruction, which the next request executes', async () => {
      await using debuggee = await start(['functions'])
      const { tracee, places, untilTrap } = debuggee
      const address = places.of('twice')
      using before = tracee.breakpoint(places.of('four'))
      await untilTrap()
      before[Symbol.dispose]()
      using _ = tracee.watch(address, { size: 1, on: 'execute' })
      const trap = { kind: 'watch', address, on: 'execute' }
      let steps = 0
      do {
        expect(tracee.stop, 'not before it is there').not.toMatchObject({ trap })
        tracee.step()
        await tracee.wait()
      } while (tracee.registers().pc !== address && ++steps < 100)
      expect(tracee.stop).toMatchObject({ trap })
      tracee.step()
      expect(await tracee.wait()).toEqual({ kind: 'stopped', signal: 'SIGTRAP' })
      expect(tracee.registers().pc).toBeGreaterThan(address)
      expect(await untilTrap(), 'the second call').toMatchObject({ trap })
    })

    it('is told of both where a breakpoint is at a watched instruction', async () => {
      await using debuggee = await start(['functions'])
      const { tracee, places, untilTrap } = debuggee
      const address = places.of('twice')
      using breakpoint = tracee.breakpoint(address)
      using watch = tracee.watch(address, { size: 1, on: 'execute' })
      expect([breakpoint, watch]).toHaveLength(2)
      for (const argument of [42n, 84n]) {
        for (const kind of ['watch', 'breakpoint']) {
          expect(await untilTrap()).toMatchObject({ trap: { kind, address } })
          expect([tracee.registers().pc, firstArgumentOf(tracee)]).toEqual([address, argument])
        }
      }
      tracee.cont()
      expect(await tracee.exited).toMatchObject({ kind: 'exited' })
    })
  })
})
