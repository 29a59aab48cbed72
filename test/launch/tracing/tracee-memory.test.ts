/** Reading and changing a tracee's memory and registers alters the program's course. */

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { tracedModes, tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { whyNot } from '../support/node.ts'
import { x64Registers } from '../support/registers.ts'

const skip = process.arch !== 'x64' ? 'it is written for x64' : (whyNoCompiler ?? whyNot('nm'))

describeNative(`the memory of a tracee${skip === undefined ? '' : ` [skipped: ${skip}]`}`, () => {
  if (skip !== undefined) return it.skip('is read and written', () => {})
  // Linked at fixed addresses.
  const program = compile(temporaryFolder(), 'launch-target', ['-no-pie'])
  const symbols = new Map(
    execFileSync('nm', [program], { encoding: 'utf8' })
      .split('\n')
      .map(line => line.split(' '))
      .map(([address, , name]) => [name, address] as const),
  )
  const addressOf = (name: string) => BigInt(`0x${symbols.get(name)}`)

  it.each(tracedModes)('is read at its exec, each kind of it ($name)', async ({ trace, memory }) => {
    await using tracee = await launch(program, [], { trace, memory })
    const text = (name: string, length: number) => Buffer.from(tracee.readMemory(addressOf(name), length)).toString()
    expect(text('constantText', 13)).toBe('constant text')
    expect(text('changeableText', 15)).toBe('changeable text')
    expect(Buffer.from(tracee.readMemory(addressOf('exitCode'), 4)).readInt32LE()).toBe(7)
  })

  it.each(tracings)('is changed, read-only pages too (%s)', async trace => {
    await using tracee = await launch(program, [], { trace })
    expect(tracee.writeMemory(addressOf('exitCode'), Uint8Array.of(3, 0, 0, 0))).toBe(4)
    expect(tracee.writeMemory(addressOf('changeableText'), Buffer.from('C'))).toBe(1)
    expect(tracee.writeMemory(addressOf('constantText'), Buffer.from('C'))).toBe(1)
    expect(await tracee.run()).toMatchObject({ code: 3 + 30 })
    // The compiler inlines constantText[0], so only a read shows that the byte was written.
    await using other = await launch(program, [], { trace })
    other.writeMemory(addressOf('constantText'), Buffer.from('K'))
    expect(Buffer.from(other.readMemory(addressOf('constantText'), 8)).toString()).toBe('Konstant')
  })

  it.each(tracings)('takes a breakpoint at main, which is hit and then removed (%s)', async trace => {
    await using tracee = await launch(program, [], { trace })
    const main = addressOf('main')
    const original = tracee.readMemory(main, 1).slice()
    tracee.writeMemory(main, Uint8Array.of(0xcc))
    tracee.cont()
    expect(await tracee.wait()).toEqual({ kind: 'stopped', signal: 'SIGTRAP' })
    expect(tracee.registers().pc).toBe(main + 1n)
    tracee.writeMemory(main, original)
    tracee.setRegisters({ rip: main })
    tracee.cont()
    expect(await tracee.exited).toMatchObject({ code: 7 })
  })

  it.each(tracings)(
    'a function’s argument is changed at its breakpoint, the other registers left alone (%s)',
    async trace => {
      await using tracee = await launch(program, [], { trace })
      const chosen = addressOf('chosen')
      const original = tracee.readMemory(chosen, 1).slice()
      tracee.writeMemory(chosen, Uint8Array.of(0xcc))
      tracee.cont()
      await tracee.wait()
      const before = x64Registers(tracee)
      expect(before.rdi).toBe(7n)
      tracee.writeMemory(chosen, original)
      tracee.setRegisters({ rip: chosen, rdi: 21n })
      expect(tracee.registers()).toEqual({ ...before, pc: chosen, rip: chosen, rdi: 21n })
      tracee.cont()
      expect(await tracee.exited).toMatchObject({ code: 21 })
    },
  )

  it.each(tracings)('the result of a system call is changed at its exit (%s)', async trace => {
    await using tracee = await launch(program, ['ask'], { trace })
    const getppid = 110n
    for (let isExit = false; ; ) {
      tracee.syscall()
      const stop = await tracee.wait()
      if (stop.kind !== 'stopped') expect.unreachable('it ended without the call')
      if (x64Registers(tracee).orig_rax !== getppid) continue
      if (isExit) break
      isExit = true
    }
    expect(x64Registers(tracee).rax).toBe(BigInt(process.pid))
    tracee.setRegisters({ rax: 42n })
    expect(await tracee.run()).toMatchObject({ code: 42 })
  })

  it('that is not mapped is EFAULT, and a range past the end of a mapping is cut', async () => {
    await using tracee = await launch(program)
    const fault = expect.objectContaining({ code: 'EFAULT', pid: tracee.pid })
    expect(() => tracee.readMemory(8n, 8)).toThrow(fault)
    expect(() => tracee.writeMemory(8n, Uint8Array.of(1))).toThrow(fault)
    const { sp } = tracee.registers()
    const read = tracee.readMemory(sp, 16_000_000)
    expect(read.length).toBeGreaterThan(0)
    expect(read.length).toBeLessThan(16_000_000)
    expect(tracee.readMemory(sp, 0).length).toBe(0)
  })

  it.each(tracings)('without access for the program is read and written (%s)', async trace => {
    await using tracee = await launch(compile(temporaryFolder(), 'no-access'), [], { trace })
    tracee.cont()
    const [line] = (await once(tracee.stdout!, 'data')) as [Buffer]
    tracee.interrupt()
    await tracee.wait()
    const hidden = BigInt(String(line).trim())
    expect(Buffer.from(tracee.readMemory(hidden, 6)).toString()).toBe('hidden')
    // Across the end of the readable range, and across the end of the mapping.
    expect(Buffer.from(tracee.readMemory(hidden - 2n, 8)).toString('latin1')).toBe('\0\0hidden')
    expect(tracee.writeMemory(hidden - 2n, Buffer.from('xxa'))).toBe(3)
    expect(Buffer.from(tracee.readMemory(hidden - 2n, 4)).toString()).toBe('xxai')
    tracee.stdin?.end()
    expect(await tracee.run()).toMatchObject({ code: 97 })
  })

  it('after its end is ESRCH, as is all else that needs it', async () => {
    await using tracee = await launch(program)
    await tracee.run()
    const gone = expect.objectContaining({ name: 'SystemError', code: 'ESRCH', pid: tracee.pid })
    expect(() => tracee.readMemory(addressOf('main'), 1)).toThrow(gone)
    expect(() => tracee.writeMemory(addressOf('main'), Uint8Array.of(1))).toThrow(gone)
    expect(() => tracee.setRegisters({ rip: 0n })).toThrow(gone)
    for (const request of ['cont', 'step', 'syscall', 'listen', 'interrupt', 'registers'] as const) {
      expect(() => tracee[request]()).toThrow(gone)
    }
    await expect(tracee.detach()).rejects.toEqual(gone)
    await expect(tracee.handOff()).rejects.toEqual(gone)
    expect(tracee.kill()).toBe(false)
    expect(tracee.stop).toBeNull()
    expect(await tracee.run()).toMatchObject({ code: 7 })
    expect(tracee.waitSync()).toMatchObject({ code: 7 })
  })
})
