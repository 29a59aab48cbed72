/** watch(): which instructions stop a thread, what it may do there, and how it goes on. */

import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import type { Trap } from '../../../lib/system/wait-status.ts'
import { compile, temporaryFolder } from '../support/compile.ts'
import { describeWatching } from '../support/debug-registers.ts'
import {
  addExclusively,
  getppid,
  jumpBack,
  nop,
  read1,
  systemCallBytes,
  write1,
  write8,
  write16,
} from '../support/machine-code.ts'
import { tracings } from '../support/modes.ts'

/** Writes instructions at the pc; returns their addresses. */
function put(tracee: Tracee, ...instructions: readonly (readonly number[])[]): bigint[] {
  const { pc } = tracee.registers()
  tracee.writeMemory(pc, Uint8Array.from(instructions.flat()))
  return instructions.map((_, i) => pc + BigInt(instructions.slice(0, i).flat().length))
}

/** The address of the second instruction of a program at its exec; the first one is about to be run again. */
async function secondInstruction(tracee: Tracee): Promise<bigint> {
  const { pc } = tracee.registers()
  tracee.step()
  await tracee.wait()
  const second = tracee.registers().pc
  tracee.setRegisters({ pc })
  return second
}

/** What each of these requests stops at. */
async function trapsOf(tracee: Tracee, ...goings: ('cont' | 'step' | 'syscall')[]) {
  const seen: unknown[] = []
  for (const going of goings) {
    tracee[going]()
    const stop = await tracee.wait()
    seen.push(stop.kind === 'stopped' ? (stop.trap ?? stop.event ?? stop.signal) : stop)
  }
  return seen
}

describeWatching('a watched address', () => {
  it.each(tracings)('is hit by writes to its own bytes alone (%s)', async trace => {
    await using tracee = await launch('/bin/true', [], { trace })
    const { sp } = tracee.registers()
    for (const size of [1, 2, 4, 8] as const) {
      // At the end of eight bytes whose address is a multiple of 16.
      const first = -48 - size
      const at = put(tracee, write1(first - 1), write1(first), write1(-49), write1(-48), nop)
      const address = sp + BigInt(first)
      const trap: Trap = { kind: 'watch', address, on: 'write' }
      using _ = tracee.watch(address, { size, on: 'write' })
      expect(await trapsOf(tracee, 'cont'), `${size} bytes`).toEqual([trap])
      expect(tracee.registers().pc, 'after the first').toBe(at[2])
      expect(await trapsOf(tracee, 'cont', 'step', 'step')).toEqual([trap, 'SIGTRAP', 'SIGTRAP'])
      tracee.setRegisters({ pc: at[0]! })
    }
  })

  it.each(tracings)('is hit by an access that begins before it, or is wider (%s)', async trace => {
    await using tracee = await launch('/bin/true', [], { trace })
    const { sp } = tracee.registers()
    put(tracee, write16(-64), write8(-56), nop)
    const address = sp - 52n
    const trap: Trap = { kind: 'watch', address, on: 'access' }
    using _ = tracee.watch(address, { size: 2, on: 'access' })
    expect(await trapsOf(tracee, 'cont', 'step', 'step')).toEqual([trap, trap, 'SIGTRAP'])
  })

  it.each(tracings)('is read without a stop, unless accesses are watched (%s)', async trace => {
    await using tracee = await launch('/bin/true', [], { trace })
    const { sp } = tracee.registers()
    const at = put(tracee, read1(-64), read1(-63), write1(-64), nop)
    using _write = tracee.watch(sp - 64n, { size: 1, on: 'write' })
    using _access = tracee.watch(sp - 63n, { size: 1, on: 'access' })
    expect(await trapsOf(tracee, 'cont')).toEqual([{ kind: 'watch', address: sp - 63n, on: 'access' }])
    expect(tracee.registers().pc).toBe(at[2])
    expect(await trapsOf(tracee, 'cont')).toEqual([{ kind: 'watch', address: sp - 64n, on: 'write' }])
    expect(tracee.registers().pc).toBe(at[3])
  })

  it.each(tracings)('of an instruction stops before it, each time, however the thread goes on (%s)', async trace => {
    await using tracee = await launch('/bin/true', [], { trace })
    const at = put(tracee, nop, nop, nop, jumpBack(2 * nop.length))
    const trap: Trap = { kind: 'watch', address: at[1]!, on: 'execute' }
    const watch = tracee.watch(at[1]!, { size: 1, on: 'execute' })
    expect(await trapsOf(tracee, 'cont', 'cont', 'syscall')).toEqual([trap, trap, trap])
    expect(tracee.registers().pc).toBe(at[1])
    expect(await trapsOf(tracee, 'step', 'step', 'step')).toEqual(['SIGTRAP', 'SIGTRAP', trap])
    expect(tracee.registers().pc).toBe(at[1])
    expect(await trapsOf(tracee, 'cont', 'step')).toEqual([trap, 'SIGTRAP'])
    expect(tracee.registers().pc).toBe(at[2])
    watch[Symbol.dispose]()
    expect(await trapsOf(tracee, 'step', 'step', 'step')).toEqual(['SIGTRAP', 'SIGTRAP', 'SIGTRAP'])
  })

  it.each(tracings)('of an instruction that writes to another one is hit by both (%s)', async trace => {
    await using tracee = await launch('/bin/true', [], { trace })
    const { sp } = tracee.registers()
    const at = put(tracee, nop, write8(-64), write8(-64), nop)
    const traps: Trap[] = [
      { kind: 'watch', address: at[1]!, on: 'execute' },
      { kind: 'watch', address: sp - 64n, on: 'write' },
      { kind: 'watch', address: at[2]!, on: 'execute' },
      { kind: 'watch', address: sp - 64n, on: 'write' },
    ]
    using _first = tracee.watch(at[1]!, { size: 1, on: 'execute' })
    using _second = tracee.watch(at[2]!, { size: 1, on: 'execute' })
    using _write = tracee.watch(sp - 64n, { size: 8, on: 'write' })
    expect(await trapsOf(tracee, 'cont', 'cont', 'cont', 'step')).toEqual(traps)
    expect(tracee.registers().pc).toBe(at[3])
  })

  it.each(tracings)('of an instruction may have a breakpoint, too (%s)', async trace => {
    await using tracee = await launch('/bin/true', [], { trace })
    const { sp } = tracee.registers()
    const at = put(tracee, nop, write8(-64), nop)
    const address = at[1]!
    using _watch = tracee.watch(address, { size: 1, on: 'execute' })
    using _write = tracee.watch(sp - 64n, { size: 8, on: 'write' })
    using _breakpoint = tracee.breakpoint(address)
    expect(await trapsOf(tracee, 'cont', 'cont', 'cont', 'step')).toEqual([
      { kind: 'watch', address, on: 'execute' },
      { kind: 'breakpoint', address },
      { kind: 'watch', address: sp - 64n, on: 'write' },
      'SIGTRAP',
    ])
  })

  it.each(tracings)('of a system call lets its entry and its exit be seen (%s)', async trace => {
    await using tracee = await launch('/bin/true', [], { trace })
    const [start] = put(tracee, getppid, nop)
    const address = start! + BigInt(getppid.length - systemCallBytes)
    using _ = tracee.watch(address, { size: 1, on: 'execute' })
    const trap: Trap = { kind: 'watch', address, on: 'execute' }
    expect(await trapsOf(tracee, 'syscall', 'syscall', 'syscall', 'step')).toEqual([
      trap,
      'syscall',
      'syscall',
      'SIGTRAP',
    ])
    tracee.setRegisters({ pc: start! })
    expect(await trapsOf(tracee, 'cont', 'step')).toEqual([trap, 'SIGTRAP'])
    expect(tracee.registers().pc).toBe(address + BigInt(systemCallBytes))
  })

  it
    .skipIf(process.arch !== 'arm64')
    .each(tracings.flatMap(trace => (['write', 'access'] as const).map(on => ({ trace, on }))))(
    'stops once for an exclusive load and store, which succeed ($trace, $on)',
    async ({ trace, on }) => {
      await using tracee = await launch('/bin/true', [], { trace })
      const { sp } = tracee.registers()
      const address = sp - 64n
      tracee.writeMemory(address, Uint8Array.of(0, 0, 0, 0))
      const at = put(tracee, ...addExclusively, nop, jumpBack((addExclusively.length + 1) * nop.length))
      using _ = tracee.watch(address, { size: 4, on })
      const trap: Trap = { kind: 'watch', address, on }
      for (let round = 1; round <= 3; round++) {
        expect(await trapsOf(tracee, 'cont')).toEqual([trap])
        expect([...tracee.readMemory(address, 4)]).toEqual([round, 0, 0, 0])
        expect(tracee.registers().pc).toBe(at[addExclusively.length])
      }
    },
  )

  it.each(tracings)('ends with an exec (%s)', async trace => {
    // Both programs begin at the address where the dynamic linker is.
    await using tracee = await launch('/bin/sh', ['-c', 'exec /bin/true'], { trace, aslr: false })
    const { sp } = tracee.registers()
    const address = await secondInstruction(tracee)
    tracee.watch(address, { size: 1, on: 'execute' })
    tracee.watch(sp - 64n, { size: 8, on: 'access' })[Symbol.dispose]()
    expect(await trapsOf(tracee, 'cont', 'cont')).toEqual([{ kind: 'watch', address, on: 'execute' }, 'exec'])
    tracee.cont()
    expect(await tracee.wait()).toMatchObject({ kind: 'exited', code: 0 })
  })

  it.each(tracings)('at which a thread stands does not outlive a detach or a hand-off (%s)', async trace => {
    for (const how of ['detach', 'handOff'] as const) {
      await using tracee = await launch('/bin/true', [], { trace })
      const { sp } = tracee.registers()
      const address = await secondInstruction(tracee)
      tracee.watch(address, { size: 1, on: 'execute' })
      tracee.watch(sp & ~7n, { size: 8, on: 'access' })
      expect(await trapsOf(tracee, 'cont')).toEqual([{ kind: 'watch', address, on: 'execute' }])
      await tracee[how]()
      if (how === 'handOff') tracee.kill('SIGCONT')
      expect(await tracee.exited).toMatchObject({ code: 0 })
    }
  })

  it.each(tracings)('of an instruction is shown once where a signal handler runs before it (%s)', async trace => {
    const folder = temporaryFolder()
    const tracee = await launch(compile(folder, 'called'), [], { trace, stdio: ['pipe', 'pipe', 'inherit'] })
    await using _ = tracee
    const lines = createInterface({ input: tracee.stdout })[Symbol.asyncIterator]()
    tracee.cont()
    const address = BigInt(String((await lines.next()).value))
    tracee.interrupt()
    await tracee.wait()
    tracee.watch(address, { size: 1, on: 'execute' })
    tracee.stdin.end('three')
    const trap: Trap = { kind: 'watch', address, on: 'execute' }
    for (const given of [undefined, 'SIGUSR1', undefined, 'SIGUSR1', undefined] as const) {
      if (given === 'SIGUSR1') tracee.cont(given)
      else tracee.cont()
      expect(await tracee.wait()).toMatchObject({ signal: 'SIGTRAP', trap })
      expect(tracee.registers().pc).toBe(address)
    }
    tracee.cont()
    expect(await tracee.wait()).toMatchObject({ kind: 'exited', code: 25 })
  })
})
