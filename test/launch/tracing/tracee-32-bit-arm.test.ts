/** A 32-bit ARM program under a kernel of arm64: its registers, steps, system calls, traps and watches. */

import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { temporaryFolder } from '../support/compile.ts'
import { describeWatching } from '../support/debug-registers.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { whyNot } from '../support/node.ts'

const folder = temporaryFolder()
const program = join(folder, 'registers-32-bit-arm')
const tools = 'arm-linux-gnueabihf'

function assemble(): string | undefined {
  const object = `${program}.o`
  const source = fileURLToPath(new URL('../../fixtures/registers-32-bit-arm.S', import.meta.url))
  execFileSync(`${tools}-as`, ['-o', object, source])
  execFileSync(`${tools}-ld`, ['-o', program, object])
  return spawnSync(program).status === 7 ? undefined : 'this machine runs no 32-bit programs'
}

const skip =
  process.arch !== 'arm64' ? 'it is written for arm64' : (whyNot(`${tools}-as`) ?? whyNot(`${tools}-ld`) ?? assemble())

// The Thumb bit of cpsr.
const inThumb = 0x20n
// Of the program, from its first instruction.
const [armNop, thumb, afterCall, thumbNop, push] = [8n, 16n, 22n, 22n, 24n]

describeNative(`a 32-bit ARM tracee${skip === undefined ? '' : ` [skipped: ${skip}]`}`, () => {
  if (skip !== undefined) return it.skip('has 32-bit registers', () => {})

  const arm = (tracee: Tracee) => {
    const registers = tracee.registers()
    if (registers.architecture !== 'arm') throw new Error(`the tracee is ${registers.architecture}`)
    return registers
  }

  async function step(tracee: Tracee, times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      tracee.step()
      expect(await tracee.wait()).toMatchObject({ signal: 'SIGTRAP' })
    }
  }

  /** Stopped at the exec; the address of the first instruction. */
  async function started(trace: 'traceme' | 'seize'): Promise<[Tracee, bigint]> {
    const tracee = await launch(program, [], { trace, stdio: 'ignore' })
    return [tracee, arm(tracee).pc]
  }

  async function stopped(tracee: Tracee, going: 'cont' | 'syscall'): Promise<unknown> {
    tracee[going]()
    return tracee.wait()
  }

  it.each(tracings)('has 32-bit registers under the names of its architecture (%s)', async trace => {
    const [tracee, start] = await started(trace)
    await using _ = tracee
    await step(tracee, 2)
    const registers = arm(tracee)
    expect(registers).toMatchObject({ r4: 0x11223344n, pc: start + armNop })
    expect(registers.cpsr & inThumb).toBe(0n)
    expect(Object.keys(registers)).not.toContain('x0')
    // argc is at the top of the stack, at a 32-bit address.
    expect([...tracee.readMemory(registers.sp, 4)]).toEqual([1, 0, 0, 0])
    expect([...tracee.readMemory(registers.pc, 4)]).toEqual([0x00, 0xf0, 0x20, 0xe3])
  })

  it.each(tracings)(
    'is stepped from ARM code into Thumb code, whose instructions are half as long (%s)',
    async trace => {
      const [tracee, start] = await started(trace)
      await using _ = tracee
      await step(tracee, 4)
      expect(arm(tracee)).toMatchObject({ pc: start + thumb, lr: start + thumb })
      expect(arm(tracee).cpsr & inThumb).toBe(inThumb)
      await step(tracee, 1)
      expect(arm(tracee)).toMatchObject({ pc: start + thumb + 2n, r6: 9n })
      // Over the system call.
      await step(tracee, 2)
      expect(arm(tracee)).toMatchObject({ pc: start + afterCall, r0: BigInt(process.pid), r7: 64n })
      expect(await tracee.run()).toMatchObject({ code: 7 })
    },
  )

  it.each(tracings)('has one register set and the others left alone (%s)', async trace => {
    const [tracee, start] = await started(trace)
    await using _ = tracee
    // Out of the execve, whose end sets r0.
    await step(tracee, 1)
    const before = arm(tracee)
    tracee.setRegisters({ r5: 0xffff_fffen })
    expect(tracee.registers()).toEqual({ ...before, r5: 0xffff_fffen })
    tracee.setRegisters(before)
    expect(tracee.registers()).toEqual(before)
    // To the Thumb code past `movs r0, #7`, and to its mode.
    tracee.setRegisters({ pc: start + push + 4n, cpsr: before.cpsr | inThumb, r0: 21n, architecture: 'arm' })
    expect(await tracee.run()).toMatchObject({ code: 21 })
  })

  it('refuses registers that it does not have, and values that they do not hold', async () => {
    const [tracee] = await started('traceme')
    await using _ = tracee
    const before = tracee.registers()
    for (const registers of [{ x0: 1n }, { pstate: 1n }, { eip: 1n }, { architecture: 'arm64' }]) {
      expect(() => tracee.setRegisters(registers as never)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
      )
    }
    expect(() => tracee.setRegisters({ r0: 2n ** 32n })).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }))
    expect(tracee.registers()).toEqual(before)
  })

  it.each(tracings)('makes system calls of its own table (%s)', async trace => {
    const [tracee, start] = await started(trace)
    await using _ = tracee
    const here = { instructionPointer: start + afterCall, architecture: 'arm' }
    expect(await stopped(tracee, 'syscall')).toMatchObject({ signal: 'SIGTRAP', event: 'syscall' })
    expect(tracee.syscallInfo()).toMatchObject({ ...here, phase: 'entry', number: 64 })
    await stopped(tracee, 'syscall')
    expect(tracee.syscallInfo()).toMatchObject({ ...here, phase: 'exit', result: BigInt(process.pid), isError: false })
  })

  it.each([
    ['ARM', armNop, 0xe7f0_01f0, 4],
    ['Thumb', thumbNop, 0xde01, 2],
  ] as const)(
    'stops at a trap that is written into %s code, but has no breakpoints',
    async (_mode, offset, trap, size) => {
      const [tracee, start] = await started('seize')
      await using _ = tracee
      const at = start + offset
      expect(() => tracee.breakpoint(at)).toThrow(expect.objectContaining({ code: 'EOPNOTSUPP' }))
      const original = tracee.readMemory(at, size)
      const bytes = new Uint8Array(new Uint32Array([trap]).buffer, 0, size)
      tracee.writeMemory(at, bytes)
      expect(await stopped(tracee, 'cont')).toMatchObject({ signal: 'SIGTRAP' })
      expect(tracee.registers().pc).toBe(at)
      tracee.writeMemory(at, original)
      tracee.cont()
      expect(await tracee.wait()).toMatchObject({ code: 7 })
    },
  )

  describeWatching('with debug registers', () => {
    it.each([
      ['ARM', armNop, 4],
      ['Thumb', thumbNop, 2],
    ] as const)('stops at an instruction of %s that is watched, and goes on', async (_mode, offset, size) => {
      const [tracee, start] = await started('seize')
      await using _ = tracee
      const address = start + offset
      const watched = tracee.watch(address, { size, on: 'execute' })
      expect(await stopped(tracee, 'cont')).toMatchObject({ trap: { kind: 'watch', address, on: 'execute' } })
      expect(tracee.registers().pc).toBe(address)
      await step(tracee, 1)
      expect(tracee.registers().pc).toBe(address + BigInt(size))
      watched[Symbol.dispose]()
      expect(await tracee.run()).toMatchObject({ code: 7 })
    })

    it.each(tracings)('stops after a write to what is watched (%s)', async trace => {
      const [tracee, start] = await started(trace)
      await using _ = tracee
      const address = tracee.registers().sp - 4n
      using _watched = tracee.watch(address, { size: 4, on: 'write' })
      expect(await stopped(tracee, 'cont')).toMatchObject({ trap: { kind: 'watch', address, on: 'write' } })
      expect(tracee.registers().pc).toBe(start + push + 2n)
      expect([...tracee.readMemory(address, 4)]).toEqual([0x44, 0x33, 0x22, 0x11])
      expect(await tracee.run()).toMatchObject({ code: 7 })
    })
  })
})
