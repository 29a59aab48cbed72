/** Stepping by lines: over calls, into them and out of them; and the stack of calls. Lines come from objdump. */

import { expect, it } from 'vitest'
import { describeDebugger, framePointerOf, isArm64, numberOf, resultOf, start, wordAt } from './support/debuggee.ts'

type Debuggee = Awaited<ReturnType<typeof start>>

/** The first byte of a call, or its last one on arm64, where some bits of it are of the distance. */
const isCall = (code: Uint8Array) => (isArm64 ? (code[3]! & 0xfc) === 0x94 : code[0] === 0xe8)
const callBytes = isArm64 ? 4n : 5n

describeDebugger('a debugger', () => {
  /** Runs to an address in the frame that lies above `sp`: not in a deeper call of the same function. */
  async function runTo({ tracee, untilTrap }: Debuggee, address: bigint, sp: bigint): Promise<void> {
    using _ = tracee.breakpoint(address)
    do expect(await untilTrap()).toMatchObject({ trap: { kind: 'breakpoint', address } })
    while (tracee.registers().sp <= sp)
  }

  /** Steps to the start of another line. 'over': calls run to their return. */
  async function stepLine(debuggee: Debuggee, how: 'over' | 'into'): Promise<void> {
    const { tracee, places } = debuggee
    const { pc: start } = tracee.registers()
    const [line, from] = [places.lineAt(start), places.functionAt(start)]
    for (;;) {
      const { pc, sp } = tracee.registers()
      const calls = isCall(tracee.readMemory(pc, 4))
      tracee.step()
      expect(await tracee.wait()).toEqual({ kind: 'stopped', signal: 'SIGTRAP' })
      if (calls && how === 'over') await runTo(debuggee, pc + callBytes, sp - 8n)
      const { pc: now } = tracee.registers()
      if (places.lineAt(now) !== line || places.functionAt(now) !== from) return
    }
  }

  /** Past the first instructions of a function, its frame pointer says where it returns to. */
  async function stepOut(debuggee: Debuggee): Promise<void> {
    const frame = framePointerOf(debuggee.tracee)
    await runTo(debuggee, wordAt(debuggee.tracee, frame + 8n), frame)
  }

  /** Runs to a line, which has one place. */
  async function runToLine({ tracee, places, untilTrap }: Debuggee, comment: string): Promise<void> {
    const [address, ...more] = places.ofLine(comment)
    expect(more).toEqual([])
    using _ = tracee.breakpoint(address!)
    expect(await untilTrap()).toMatchObject({ trap: { address } })
  }

  const where = ({ tracee, places }: Debuggee) => {
    const { pc } = tracee.registers()
    return [places.functionAt(pc), places.lineAt(pc)]
  }

  it('sees a global variable change line by line', async () => {
    await using debuggee = await start(['functions'])
    const { tracee, places } = debuggee
    const values: number[] = []
    await runToLine(debuggee, 'one')
    for (const comment of ['one', 'forty-two', 'four']) {
      expect(where(debuggee)).toEqual(['callFunctions', numberOf(comment)])
      values.push(Buffer.from(tracee.readMemory(places.of('counted'), 4)).readInt32LE())
      await stepLine(debuggee, 'over')
    }
    expect(values).toEqual([0, 1, 42])
    expect(where(debuggee)).toEqual(['callFunctions', numberOf('depth')])
  })

  it('steps into a call, over one, and out of it with its result', async () => {
    await using debuggee = await start(['functions'])
    const { tracee } = debuggee
    await runToLine(debuggee, 'four')
    await stepLine(debuggee, 'into')
    expect(where(debuggee)[0]).toBe('four')
    await stepLine(debuggee, 'over')
    expect(where(debuggee)).toEqual(['four', numberOf('first call')])
    await stepLine(debuggee, 'over')
    expect(where(debuggee)).toEqual(['four', numberOf('second call')])
    await stepLine(debuggee, 'into')
    await stepLine(debuggee, 'into')
    expect(where(debuggee)[0]).toBe('twice')
    await stepOut(debuggee)
    expect(where(debuggee)).toEqual(['four', numberOf('second call')])
    expect(resultOf(tracee)).toBe(168n)
    await stepOut(debuggee)
    expect(where(debuggee)[0]).toBe('callFunctions')
    tracee.cont()
    expect(await tracee.exited).toMatchObject({ kind: 'exited' })
  })

  it('steps over a recursive call to its own end, and out to its own caller', async () => {
    await using debuggee = await start(['functions'])
    const { tracee, places } = debuggee
    await runToLine(debuggee, 'deeper')
    const frame = framePointerOf(tracee)
    await stepLine(debuggee, 'over')
    // The result is that of the whole recursion below, in the frame of the first call.
    expect([framePointerOf(tracee), resultOf(tracee)]).toEqual([frame, 3n])
    expect(places.functionAt(tracee.registers().pc)).toBe('depth')
    await stepOut(debuggee)
    expect(where(debuggee)).toEqual(['callFunctions', numberOf('depth')])
  })

  it('unwinds the stack by its frame pointers, up to the entry into the program', async () => {
    await using debuggee = await start(['functions'])
    const { tracee, places } = debuggee
    await runToLine(debuggee, 'twice')
    const names: unknown[] = [places.functionAt(tracee.registers().pc)]
    for (let frame = framePointerOf(tracee); names.at(-1) !== 'main'; frame = wordAt(tracee, frame)) {
      names.push(places.functionAt(wordAt(tracee, frame + 8n)))
    }
    expect(names).toEqual(['twice', 'four', 'callFunctions', 'main'])
  })
})
