/** Debug registers: what int3 cannot do, and how watched addresses and breakpoints go together. */

import { expect, it } from 'vitest'
import { describeDebugger, start } from './support/debuggee.ts'

describeDebugger('a debugger', () => {
  it('is seen by a program that looks for int3 in its code, but not with a debug register', async () => {
    const seen: unknown[] = []
    for (const kind of ['breakpoint', 'watch'] as const) {
      await using debuggee = await start('checksum')
      const { tracee, places, nextLine, untilTrap } = debuggee
      const address = places.of('innocent')
      await untilTrap()
      using _ = kind === 'breakpoint' ? tracee.breakpoint(address) : tracee.watch(address, { size: 1, on: 'execute' })
      expect(await untilTrap()).toMatchObject({ trap: { kind, address } })
      expect(tracee.registers().pc).toBe(address)
      seen.push(await nextLine())
      tracee.cont()
      seen.push(await nextLine())
      expect(await tracee.exited).toMatchObject({ code: 0 })
    }
    expect(seen).toEqual(['altered', 'innocent', 'untouched', 'innocent'])
  })

  it('sets a breakpoint behind the back of a check, once the check has read that byte', async () => {
    await using debuggee = await start('checksum')
    const { tracee, places, nextLine, untilTrap } = debuggee
    const address = places.of('innocent')
    await untilTrap()
    const watch = tracee.watch(address, { size: 1, on: 'access' })
    expect(await untilTrap()).toMatchObject({ trap: { kind: 'watch', address, on: 'access' } })
    expect(places.functionAt(tracee.registers().pc)).toBe('checksum')
    watch[Symbol.dispose]()
    using _ = tracee.breakpoint(address)
    expect(await untilTrap()).toMatchObject({ trap: { kind: 'breakpoint', address } })
    expect(await nextLine()).toBe('untouched')
    tracee.cont()
    expect(await nextLine()).toBe('innocent')
  })

  it('stops at each access to a watched variable, after it', async () => {
    await using debuggee = await start('memory')
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
})
