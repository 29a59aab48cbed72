/** A program of threads under a debugger: all of them stopped together, one stepped alone, breakpoints for one. */

import { expect, it } from 'vitest'
import type { TracedThread } from '../../../../lib/index.ts'
import { describeWatching } from '../../support/debug-registers.ts'
import { describeDebugger, start, wordAt } from './support/debuggee.ts'

type Debuggee = Awaited<ReturnType<typeof start>>

const threads = 10

describeDebugger('a debugger', () => {
  /** Passes every stop on until the main thread traps: its threads are started by then. */
  async function untilStarted({ tracee }: Debuggee): Promise<void> {
    tracee.cont()
    for await (const { thread, stop } of tracee.everyStop()) {
      if (stop.event === undefined && thread === tracee.mainThread) return
      thread.cont(stop.event === undefined ? stop.signal : undefined)
    }
  }

  /** Has the turning threads end, and the program with them, without the trap that the main thread has stopped for. */
  function end({ tracee, places }: Debuggee): void {
    tracee.writeMemory(places.of('isOver'), Uint8Array.of(1))
    tracee.cont()
  }

  it('stops every thread at a breakpoint, each at its address, while all others stand still', async () => {
    await using debuggee = await start(['threads'])
    const { tracee, places } = debuggee
    const address = places.of('innocent')
    const breakpoint = tracee.breakpoint(address)
    const hits = new Map<number, number>()
    let most = 0
    tracee.cont()
    for await (const { thread, stop } of tracee.everyStop()) {
      if (stop.trap !== undefined) {
        await tracee.stopAll()
        expect(stop.trap).toEqual({ kind: 'breakpoint', address })
        expect(thread.registers().pc).toBe(address)
        hits.set(thread.tid, (hits.get(thread.tid) ?? 0) + 1)
        const all = [...tracee.threads.values()]
        expect(all.map(each => [each.stop === null, typeof each.registers().pc])).toEqual(
          all.map(() => [false, 'bigint']),
        )
        most = Math.max(most, all.length)
        tracee.contAll()
      }
      if (thread.stop === stop) thread.cont()
    }
    breakpoint[Symbol.dispose]()
    expect(hits.size).toBe(threads)
    expect(hits.has(tracee.pid)).toBe(false)
    expect([...hits.values()]).toEqual(Array(threads).fill(1))
    expect(most).toBeGreaterThan(1)
    expect(tracee.threads.size).toBeLessThanOrEqual(1)
    expect(await tracee.exited).toMatchObject({ code: 0 })
  })

  it('stops at a breakpoint for one thread alone, which the others pass', async () => {
    await using debuggee = await start(['threads'])
    const { tracee, places } = debuggee
    using _ = tracee.breakpoint(places.of('innocent'))
    let chosen: TracedThread | undefined
    let passed = 0
    tracee.cont()
    for await (const { thread, stop } of tracee.everyStop()) {
      if (stop.trap !== undefined) {
        chosen ??= thread
        if (thread === chosen) {
          // It is kept, and the others go on to their ends without it.
          if (passed === threads - 1) thread.cont()
          continue
        }
        passed++
      }
      thread.cont()
      if (passed === threads - 1 && chosen?.stop != null) chosen.cont()
    }
    expect(passed).toBe(threads - 1)
    expect(await tracee.exited).toMatchObject({ code: 0 })
  })

  it('steps one thread, while the others stand still', async () => {
    await using debuggee = await start(['turns'])
    const { tracee, places } = debuggee
    await untilStarted(debuggee)
    await tracee.stopAll()
    const counters = [0n, 8n, 16n].map(offset => places.of('turns') + offset)
    const counts = () => counters.map(address => wordAt(tracee, address))
    const pcs = () => [...tracee.threads.values()].map(thread => [thread.tid, thread.registers().pc] as const)
    const others = [...tracee.threads.values()].filter(thread => thread !== tracee.mainThread)
    const [one] = others
    expect(others).toHaveLength(3)
    const before = { counts: counts(), pcs: new Map(pcs()) }
    for (let steps = 0; steps < 100; steps++) {
      one!.step()
      expect(await one!.wait()).toEqual({ kind: 'stopped', signal: 'SIGTRAP' })
    }
    const moved = pcs().filter(([tid, pc]) => before.pcs.get(tid) !== pc && tid !== one!.tid)
    expect(moved).toEqual([])
    const changed = counts().filter((count, i) => count !== before.counts[i])
    expect(changed.length, 'of the one thread, if it was in its loop already').toBeLessThanOrEqual(1)
    end(debuggee)
    tracee.contAll()
    expect(await tracee.run()).toMatchObject({ code: 0 })
  })

  describeWatching('with debug registers', () => {
    it('finds the thread that changes a variable, by watching it', async () => {
      await using debuggee = await start(['turns'])
      const { tracee, places } = debuggee
      await untilStarted(debuggee)
      await tracee.stopAll()
      const watches = [0n, 8n, 16n].map(offset => tracee.watch(places.of('turns') + offset, { size: 8, on: 'write' }))
      tracee.contAll()
      const writers = new Map<bigint | undefined, Set<number>>()
      for await (const { thread, stop } of tracee.everyStop()) {
        if (stop.trap !== undefined) {
          expect(places.functionAt(thread.registers().pc)).toBe('turn')
          const { address } = stop.trap
          writers.set(address, (writers.get(address) ?? new Set()).add(thread.tid))
          if (writers.size === 3) break
        }
        // The main thread stays at its trap.
        if (thread !== tracee.mainThread) thread.cont()
      }
      for (const watch of watches) watch[Symbol.dispose]()
      const tids = [...writers.values()].map(each => [...each])
      expect(tids.map(each => each.length)).toEqual([1, 1, 1])
      expect(new Set(tids.flat()).size).toBe(3)
      end(debuggee)
      expect(await tracee.run()).toMatchObject({ code: 0 })
    })
  })
})
