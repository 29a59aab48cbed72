/** What a debugger does, written with Tracee and TracedThread alone: registers of every kind, breakpoints, watches. */

import { createInterface } from 'node:readline'
import { beforeAll, describe, expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { syscallName } from '../../../lib/syscall-names.ts'
import { constants } from '../../../lib/system/constants.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'

const { NT_PRFPREG } = constants

// Offsets in struct user_fpregs_struct, the FXSAVE area.
const [statusWord, tags, firstStack, firstXmm] = [2, 4, 32, 160]

const whyNot = process.arch === 'x64' ? whyNoCompiler : 'the program is for x64'

describe.skipIf(whyNot !== undefined)('a debugger', () => {
  const folder = temporaryFolder()
  let program = ''
  beforeAll(() => {
    program = compile(folder, 'debuggee', ['-O0', '-pthread'])
  })

  async function start(part: string) {
    const tracee = await launch(program, [part], { stdio: ['ignore', 'pipe', 'inherit'], follow: 'threads' })
    const lines = createInterface({ input: tracee.stdout })[Symbol.asyncIterator]()
    const nextLine = async () => (await lines.next()).value
    const untilTrap = async () => {
      tracee.cont()
      expect(await tracee.wait()).toMatchObject({ kind: 'stopped', signal: 'SIGTRAP' })
    }
    return {
      tracee,
      nextLine,
      untilTrap,
      /** The address that the program tells before it raises SIGTRAP. */
      async addressTold() {
        await untilTrap()
        return BigInt(String(await nextLine()))
      },
    }
  }

  it('writes general, MMX, SSE and x87 registers, which the program then has', async () => {
    const { tracee, nextLine, untilTrap } = await start('registers')
    await using _ = tracee
    const change = (set: (area: DataView) => void) => {
      const bytes = tracee.mainThread.registerSet(NT_PRFPREG)
      set(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))
      tracee.mainThread.setRegisterSet(NT_PRFPREG, bytes)
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
    await untilTrap()
    expect(await nextLine()).toBe('0xcafecafe 0xba5eba11 42.240 42.250')
  })

  it('reads general, MMX, SSE and x87 registers', async () => {
    const { tracee, untilTrap } = await start('registers')
    await using _ = tracee
    const area = () => {
      const bytes = tracee.mainThread.registerSet(NT_PRFPREG)
      return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    for (let trap = 0; trap < 5; trap++) await untilTrap()
    expect(tracee.registers()).toMatchObject({ architecture: 'x64', r13: 0xcafecafen })
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

  it('stops every thread at a breakpoint, each at its address', async () => {
    const { tracee, addressTold } = await start('threads')
    await using _ = tracee
    const address = await addressTold()
    const breakpoint = tracee.breakpoint(address)
    const hits: number[] = []
    tracee.cont()
    for await (const { thread, stop } of tracee.everyStop()) {
      if (stop.trap !== undefined) {
        expect(stop.trap).toMatchObject({ kind: 'breakpoint', address })
        expect(thread.registers().pc).toBe(address)
        hits.push(thread.tid)
      }
      thread.cont(stop.event === undefined && stop.trap === undefined ? stop.signal : undefined)
    }
    breakpoint[Symbol.dispose]()
    expect(new Set(hits).size).toBe(10)
    expect(hits).toHaveLength(10)
    expect(await tracee.exited).toMatchObject({ code: 0 })
  })

  it('is seen by a program that looks for int3 in its code, but not with a debug register', async () => {
    const ends: unknown[] = []
    for (const kind of ['breakpoint', 'watch'] as const) {
      const { tracee, nextLine, addressTold } = await start('checksum')
      await using _ = tracee
      const address = await addressTold()
      using _stop =
        kind === 'breakpoint' ? tracee.breakpoint(address) : tracee.watch(address, { size: 1, on: 'execute' })
      tracee.cont()
      expect(await tracee.wait()).toMatchObject({ signal: 'SIGTRAP', trap: { kind, address } })
      ends.push([await nextLine(), tracee.registers().pc === address])
      tracee.cont()
      ends.push([await nextLine(), (await tracee.wait()).kind])
    }
    const rest = ['putting pepperoni on pizza', 'exited']
    expect(ends).toEqual([['altered', true], rest, ['untouched', true], rest])
  })

  it('stops at each access to a watched address', async () => {
    const { tracee, addressTold } = await start('watched')
    await using _ = tracee
    const address = await addressTold()
    const watch = tracee.watch(address, { size: 8, on: 'access' })
    const values: unknown[] = []
    for (;;) {
      tracee.cont()
      const status = await tracee.wait()
      if (status.kind !== 'stopped') break
      expect(status.trap).toEqual({ kind: 'watch', address, on: 'access' })
      values.push(tracee.readMemory(address, 1)[0])
      // The return value is read last; without the watch nothing stops it.
      if (values.length === 2) watch[Symbol.dispose]()
    }
    expect(values).toEqual([7, 8])
    expect(await tracee.exited).toMatchObject({ code: 8 })
  })

  it('catches system calls by name, entry and exit', async () => {
    const { tracee, addressTold } = await start('watched')
    await using _ = tracee
    await addressTold()
    const seen: unknown[] = []
    tracee.syscall()
    for await (const stop of tracee.stops()) {
      const info = tracee.mainThread.syscallInfo()
      expect([stop.event, stop.phase]).toEqual(['syscall', info.phase])
      if (info.phase === 'entry') seen.push(syscallName(info.number, info.architecture))
      tracee.syscall()
    }
    expect(seen).toContain('exit_group')
    expect(await tracee.exited).toMatchObject({ code: 8 })
  })

  it('is refused every request once the program has ended', async () => {
    const { tracee } = await start('watched')
    await tracee[Symbol.asyncDispose]()
    const refusal = expect.objectContaining({ code: 'ESRCH' })
    expect(() => tracee.cont()).toThrow(refusal)
    expect(() => tracee.registers()).toThrow(refusal)
    expect(() => tracee.breakpoint(0n)).toThrow(refusal)
    expect(() => tracee.readMemory(0n, 1)).toThrow(refusal)
  })
})
