/** A 32-bit program under a 64-bit kernel: its registers have their 32-bit names. */

import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { temporaryFolder } from '../support/compile.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { whyNot } from '../support/node.ts'

const folder = temporaryFolder()
const program = join(folder, 'registers-32-bit')

function assemble(): string | undefined {
  const object = `${program}.o`
  const source = fileURLToPath(new URL('../../fixtures/registers-32-bit.S', import.meta.url))
  execFileSync('as', ['--32', '-o', object, source])
  execFileSync('ld', ['-m', 'elf_i386', '-o', program, object])
  return spawnSync(program).status === 7 ? undefined : 'this kernel runs no 32-bit programs'
}

const skip = process.arch !== 'x64' ? 'it is written for x64' : (whyNot('as') ?? whyNot('ld') ?? assemble())

describeNative(`a 32-bit tracee${skip === undefined ? '' : ` [skipped: ${skip}]`}`, () => {
  if (skip !== undefined) return it.skip('has 32-bit registers', () => {})

  const ia32 = (tracee: Tracee) => {
    const registers = tracee.registers()
    if (registers.architecture !== 'ia32') throw new Error(`the tracee is ${registers.architecture}`)
    return registers
  }

  async function afterTwoMoves(trace: 'traceme' | 'seize'): Promise<Tracee> {
    const tracee = await launch(program, [], { trace })
    for (let i = 0; i < 2; i++) {
      tracee.step()
      await tracee.wait()
    }
    return tracee
  }

  it.each(tracings)('has 32-bit registers under the names of its architecture (%s)', async trace => {
    await using tracee = await afterTwoMoves(trace)
    const registers = ia32(tracee)
    expect(registers).toMatchObject({ ebx: 0x11223344n, ecx: 0x55667788n, orig_eax: 0xffffffffn })
    expect(registers.pc).toBe(registers.eip)
    expect(registers.sp).toBe(registers.esp)
    expect(Object.keys(registers)).not.toContain('rip')
    // argc is at the top of the stack, at a 32-bit address.
    expect([...tracee.readMemory(registers.sp, 4)]).toEqual([1, 0, 0, 0])
    // The nop at the program counter.
    expect([...tracee.readMemory(registers.pc, 1)]).toEqual([0x90])
  })

  it.each(tracings)('has one register set and the others left alone (%s)', async trace => {
    await using tracee = await afterTwoMoves(trace)
    const before = ia32(tracee)
    tracee.setRegisters({ ecx: 0xffff_fffen })
    expect(tracee.registers()).toEqual({ ...before, ecx: 0xffff_fffen })
    tracee.setRegisters(before)
    expect(tracee.registers()).toEqual(before)
    // Past the nop and the instruction that sets ebx.
    tracee.setRegisters({ pc: before.eip + 6n, ebx: 21n, architecture: 'ia32' })
    expect(await tracee.run()).toMatchObject({ code: 21 })
  })

  it('refuses registers that it does not have, and values that they do not hold', async () => {
    await using tracee = await afterTwoMoves('traceme')
    const before = tracee.registers()
    for (const registers of [
      { rbx: 1n },
      { rip: 1n },
      { x0: 1n },
      { architecture: 'x64' },
      { pc: 1n, eip: 2n },
    ] as const) {
      expect(() => tracee.setRegisters(registers as never)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
      )
    }
    expect(() => tracee.setRegisters({ ebx: 2n ** 32n })).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }))
    expect(() => tracee.setRegisters({ pc: -1n })).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }))
    expect(tracee.registers()).toEqual(before)
    expect(await tracee.run()).toMatchObject({ code: 7 })
  })
})
