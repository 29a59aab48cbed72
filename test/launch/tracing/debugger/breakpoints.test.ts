/** Breakpoints of a debugger: at the entry point, at functions and lines, kept by address, and in a running program. */

import { once } from 'node:events'
import { expect, it } from 'vitest'
import { attach, constants, launch } from '../../../../lib/index.ts'
import { stateOf } from '../../support/processes.ts'
import { compileDebuggee, describeDebugger, firstArgumentOf, numberOf, Places, start } from './support/debuggee.ts'

describeDebugger('a debugger', () => {
  it('stops a program at its entry point, before it has said anything', async () => {
    await using debuggee = await start([])
    const { tracee, places, nextLine, untilTrap } = debuggee
    using _ = tracee.breakpoint(places.entry)
    expect(await untilTrap()).toMatchObject({ trap: { kind: 'breakpoint', address: places.entry } })
    expect(tracee.registers().pc).toBe(places.entry)
    expect(tracee.stdout.readableLength).toBe(0)
    tracee.cont()
    expect(await nextLine()).toBe('hello')
    expect(await tracee.exited).toMatchObject({ code: 0 })
  })

  it('keeps breakpoints by address: finds, removes and sets them anew', async () => {
    await using debuggee = await start(['functions'])
    const { tracee, places } = debuggee
    const names = ['callFunctions', 'four', 'twice', 'depth']
    const breakpoints = new Map<bigint, Disposable>()
    const set = (name: string) => breakpoints.set(places.of(name), tracee.breakpoint(places.of(name)))
    const remove = (name: string) => {
      const address = places.of(name)
      breakpoints.get(address)?.[Symbol.dispose]()
      // Once more has no effect, least of all on a breakpoint that is set there later.
      breakpoints.get(address)?.[Symbol.dispose]()
      breakpoints.delete(address)
    }
    for (const name of names) set(name)
    expect([...breakpoints.keys()].map(address => places.functionAt(address))).toEqual(names)
    const hits: unknown[] = []
    for (;;) {
      tracee.cont()
      const status = await tracee.wait()
      if (status.kind !== 'stopped') break
      const { address = 0n } = status.trap ?? {}
      expect(breakpoints.has(address)).toBe(true)
      hits.push(places.functionAt(address))
      // The first call of twice() goes by unseen.
      if (hits.at(-1) === 'callFunctions') remove('twice')
      if (hits.at(-1) === 'four') set('twice')
      if (hits.length === 4) for (const name of ['four', 'depth']) remove(name)
    }
    expect(hits).toEqual(['callFunctions', 'four', 'twice', 'twice'])
    expect([...breakpoints.keys()].map(address => places.functionAt(address))).toEqual(['callFunctions', 'twice'])
    expect(await tracee.exited).toMatchObject({ kind: 'exited' })
  })

  it('stops at a line in each place where its code is', async () => {
    await using debuggee = await start(['functions'])
    const { tracee, places, untilTrap } = debuggee
    const addresses = places.ofLine('inlined')
    expect(addresses).toHaveLength(2)
    for (const address of addresses) tracee.breakpoint(address)
    for (const address of addresses) {
      await untilTrap()
      const { pc } = tracee.registers()
      expect([pc, places.lineAt(pc), places.functionAt(pc)]).toEqual([address, numberOf('inlined'), 'callFunctions'])
    }
    tracee.cont()
    expect(await tracee.exited).toMatchObject({ kind: 'exited' })
  })

  it('stops on a condition, at the end of a recursion', async () => {
    await using debuggee = await start(['functions'])
    const { tracee, places } = debuggee
    const at = tracee.breakpoint(places.of('depth'))
    let hits = 0
    tracee.cont()
    for await (const stop of tracee.stops()) {
      expect(stop.trap?.address).toBe(places.of('depth'))
      hits++
      if (firstArgumentOf(tracee) === 0n) break
      tracee.cont()
    }
    expect(hits).toBe(4)
    at[Symbol.dispose]()
    tracee.cont()
    expect(await tracee.exited).toMatchObject({ kind: 'exited' })
  })

  it.each(['saving', 'restoring'])('leaves no trap flag in what the program saves: a breakpoint at %s', async where => {
    await using debuggee = await start(['flags'])
    const { tracee, places, untilTrap } = debuggee
    using _ = tracee.breakpoint(places.of(where))
    await untilTrap()
    tracee.cont()
    expect(await tracee.wait(), 'the flag that the program has seen').toMatchObject({ kind: 'exited', code: 0 })
  })

  it('stops each child at the breakpoint that is set at its birth, in memory that is copied or shared', async () => {
    await using debuggee = await start(['children'], { follow: 'all' })
    const { tracee, places } = debuggee
    const address = places.of('twice')
    tracee.breakpoint(address)
    const hits: unknown[] = []
    tracee.cont()
    for await (const { thread, stop } of tracee.everyStop()) {
      if (stop.reason === 'birth') thread.process.breakpoint(address)
      if (stop.trap !== undefined) {
        expect(stop.trap.address).toBe(address)
        hits.push([thread.process === tracee, firstArgumentOf(thread)])
      }
      thread.cont(stop.event === undefined && stop.trap === undefined ? stop.signal : undefined)
    }
    expect(hits).toEqual([
      [false, 1n],
      [false, 2n],
      [true, 6n],
    ])
    expect(await tracee.exited).toMatchObject({ code: 12 })
  })

  it('attaches to a running program, stops it at a breakpoint, and lets it go without one', async () => {
    const stdio = ['ignore', 'pipe', 'inherit'] as const
    await using program = await launch(compileDebuggee(), ['endless'], { trace: false, stdio })
    await once(program.stdout, 'data')
    for (let round = 0; round < 2; round++) {
      const tracee = await attach(program.pid)
      const address = new Places(tracee.pid).of('inTheLoop')
      const code = tracee.readMemory(address, 1)
      tracee.breakpoint(address)
      for (let hit = 0; hit < 3; hit++) {
        tracee.cont()
        expect(await tracee.wait()).toMatchObject({ trap: { kind: 'breakpoint', address } })
      }
      expect(tracee.readMemory(address, 1)).toEqual(code)
      await tracee.detach()
      expect(stateOf(program.pid)).toMatch(/[RSD]/)
    }
    // A breakpoint that was left would have ended it by SIGTRAP.
    expect(await program.terminate()).toMatchObject({ signal: 'SIGTERM' })
  })

  it('is refused every request once the program has ended', async () => {
    await using debuggee = await start([])
    const { tracee } = debuggee
    tracee.cont()
    expect(await tracee.wait()).toMatchObject({ kind: 'exited', code: 0 })
    const refusal = expect.objectContaining({ code: 'ESRCH' })
    expect(() => tracee.cont()).toThrow(refusal)
    expect(() => tracee.registers()).toThrow(refusal)
    expect(() => tracee.registerSet(constants.NT_PRFPREG)).toThrow(refusal)
    expect(() => tracee.breakpoint(0n)).toThrow(refusal)
    expect(() => tracee.watch(0n, { size: 1, on: 'write' })).toThrow(refusal)
    expect(() => tracee.readMemory(0n, 1)).toThrow(refusal)
  })
})
