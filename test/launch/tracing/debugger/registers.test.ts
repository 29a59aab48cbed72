/** Registers of every kind, with Tracee and TracedThread alone. */

import { expect, it } from 'vitest'
import { constants, type Tracee } from '../../../../lib/index.ts'
import { describeDebugger, isArm64, registersOf, resultOf, start } from './support/debuggee.ts'

const { NT_PRFPREG } = constants

// Offsets in struct user_fpregs_struct, the FXSAVE area.
const [statusWord, tags, firstStack, firstXmm] = [2, 4, 32, 160]

const zeroFlag = 1n << 6n

/** The register that says which system call may have to be begun anew: none. */
const noCall = 2n ** 64n - 1n

describeDebugger(
  'a debugger of x64',
  () => {
    it('writes general, MMX, SSE and x87 registers, which the program then has', async () => {
      await using debuggee = await start(['print-registers'])
      const { tracee, untilTrap, nextLine } = debuggee
      const change = (set: (area: DataView) => void) => {
        const bytes = tracee.registerSet(NT_PRFPREG)
        set(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))
        tracee.setRegisterSet(NT_PRFPREG, bytes)
      }
      await untilTrap()
      tracee.setRegisters({ rsi: 0xcafecafen })
      await untilTrap()
      change(area => area.setBigUint64(firstStack, 0xba5eba11n, true))
      await untilTrap()
      change(area => area.setFloat64(firstXmm, 42.24, true))
      await untilTrap()
      change(area => {
        // 42.25 is 0xa9 / 0x80 times 2 to the fifth. The one value makes register 7 the top of the stack.
        area.setBigUint64(firstStack, 0xa900_0000_0000_0000n, true)
        area.setUint16(firstStack + 8, 16383 + 5, true)
        area.setUint16(statusWord, 7 << 11, true)
        area.setUint8(tags, 1 << 7)
      })
      tracee.cont()
      expect(await nextLine()).toBe('0xcafecafe 0xba5eba11 42.240 42.250')
    })

    it('reads general, MMX, SSE and x87 registers, and parts of them', async () => {
      await using debuggee = await start(['set-registers'])
      const { tracee, untilTrap } = debuggee
      const area = () => {
        const bytes = tracee.registerSet(NT_PRFPREG)
        return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      }
      await untilTrap()
      expect(registersOf(tracee).r13).toBe(0xcafecafen)
      await untilTrap()
      const { r13 } = registersOf(tracee)
      expect([r13 & 0xffn, r13]).toEqual([42n, 0xcafeca2an])
      await untilTrap()
      expect(area().getBigUint64(firstStack, true)).toBe(0xba5eba11n)
      await untilTrap()
      expect(area().getFloat64(firstXmm, true)).toBe(64.125)
      await untilTrap()
      expect([area().getBigUint64(firstStack, true), area().getUint16(firstStack + 8, true)]).toEqual([
        0x8040_0000_0000_0000n,
        16383 + 6,
      ])
    })

    it('changes the flags, and so the result of a comparison', async () => {
      for (const isEqual of [false, true]) {
        await using debuggee = await start(['compare'])
        const { tracee, untilTrap } = debuggee
        await untilTrap()
        const { eflags } = registersOf(tracee)
        expect(eflags & zeroFlag).toBe(0n)
        if (isEqual) tracee.setRegisters({ eflags: eflags | zeroFlag })
        tracee.cont()
        expect(await tracee.exited).toMatchObject({ code: isEqual ? 1 : 0 })
      }
    })
  },
  'x64',
)

describeDebugger(
  'a debugger of arm64',
  () => {
    const areaOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    // In struct user_fpsimd_state, the registers have 16 bytes each.
    const vector = (number: number) => 16 * number

    it('writes general, vector and floating-point registers, which the program then has', async () => {
      await using debuggee = await start(['print-registers'])
      const { tracee, untilTrap, nextLine } = debuggee
      const change = (set: (area: DataView) => void) => {
        const bytes = tracee.registerSet(NT_PRFPREG)
        set(areaOf(bytes))
        tracee.setRegisterSet(NT_PRFPREG, bytes)
      }
      await untilTrap()
      tracee.setRegisters({ x5: 0xcafecafen })
      await untilTrap()
      change(area => area.setBigUint64(vector(6), 0xba5eba11n, true))
      await untilTrap()
      change(area => area.setFloat64(vector(0), 42.24, true))
      await untilTrap()
      change(area => area.setFloat64(vector(31), 42.25, true))
      tracee.cont()
      expect(await nextLine()).toBe('0xcafecafe 0xba5eba11 42.240 42.250')
    })

    it('reads general, vector and floating-point registers', async () => {
      await using debuggee = await start(['set-registers'])
      const { tracee, untilTrap } = debuggee
      const area = () => areaOf(tracee.registerSet(NT_PRFPREG))
      await untilTrap()
      expect(tracee.registers()).toMatchObject({ architecture: 'arm64', x19: 0xcafecafen })
      await untilTrap()
      expect(area().getBigUint64(vector(6), true)).toBe(0xba5eba11n)
      await untilTrap()
      expect(area().getFloat64(vector(0), true)).toBe(64.125)
      await untilTrap()
      expect(area().getFloat64(vector(31), true)).toBe(64.125)
    })

    it('changes the flags, and so the result of a comparison', async () => {
      const zeroFlag = 1n << 30n
      for (const isEqual of [false, true]) {
        await using debuggee = await start(['compare'])
        const { tracee, untilTrap } = debuggee
        await untilTrap()
        const registers = tracee.registers()
        if (registers.architecture !== 'arm64') throw new Error(registers.architecture)
        expect(registers.pstate & zeroFlag).toBe(0n)
        if (isEqual) tracee.setRegisters({ pstate: registers.pstate | zeroFlag })
        tracee.cont()
        expect(await tracee.exited).toMatchObject({ code: isEqual ? 1 : 0 })
      }
    })
  },
  'arm64',
)

describeDebugger('a debugger', () => {
  /** Calls a function of the program with one argument, at a stop. It returns to the entry point, now unused. */
  async function call(tracee: Tracee, address: bigint, argument: bigint, returnsTo: bigint): Promise<bigint> {
    const before = tracee.registers()
    // Below the red zone of 128 bytes, with the stack aligned as before a call.
    const sp = (before.sp - 256n) & ~0xfn
    if (isArm64) tracee.setRegisters({ pc: address, sp, x0: argument, x30: returnsTo })
    else {
      tracee.writeMemory(sp - 8n, new Uint8Array(new BigUint64Array([returnsTo]).buffer))
      tracee.setRegisters({ pc: address, sp: sp - 8n, rdi: argument, rax: 0n, orig_rax: noCall })
    }
    using _ = tracee.breakpoint(returnsTo)
    tracee.cont()
    expect(await tracee.wait()).toMatchObject({ trap: { kind: 'breakpoint', address: returnsTo } })
    const returned = resultOf(tracee)
    tracee.setRegisters(before)
    expect(tracee.registers()).toEqual(before)
    return BigInt.asUintN(32, returned)
  }

  it('calls a function of the stopped program, which then goes on as if nothing had been', async () => {
    await using debuggee = await start(['compare'])
    const { tracee, places, untilTrap } = debuggee
    await untilTrap()
    expect(await call(tracee, places.of('four'), 21n, places.entry)).toBe(84n)
    expect(await call(tracee, places.of('depth'), 5n, places.entry)).toBe(5n)
    tracee.cont()
    expect(await tracee.exited).toMatchObject({ code: 0 })
  })

  it('calls a function while the program waits in a system call, which is then begun anew', async () => {
    await using debuggee = await start(['read'])
    const { tracee, places, untilTrap } = debuggee
    await untilTrap()
    // To the entry of the read, and into it.
    do {
      tracee.syscall()
      await tracee.wait()
    } while (tracee.syscallInfo().phase !== 'entry')
    tracee.cont()
    tracee.interrupt()
    expect(await tracee.wait()).toMatchObject({ reason: 'interrupt' })
    expect(await call(tracee, places.of('twice'), 4n, places.entry)).toBe(8n)
    tracee.cont()
    tracee.stdin.write('!')
    expect(await tracee.exited).toMatchObject({ code: '!'.charCodeAt(0) })
  })
})
