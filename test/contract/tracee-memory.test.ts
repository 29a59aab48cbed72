import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import type { RegisterName, Registers } from '../../lib/system/registers.ts'
import { bytes, failure, readText, text, thrown } from './helpers.ts'
import { describeContract } from './suite.ts'

const { O_CLOEXEC, PTRACE_O_EXITKILL, PTRACE_O_TRACEEXEC, PTRACE_O_TRACESYSGOOD } = constants

const isX64 = process.arch === 'x64'
const [instructionPointer, stackPointer, scratch]: readonly RegisterName[] = isX64
  ? ['rip', 'rsp', 'r12']
  : ['pc', 'sp', 'x19']
const registerOf = (registers: Registers, name: RegisterName) => (registers as unknown as Record<string, bigint>)[name]!

describeContract(
  'the memory and registers of a tracee',
  world => {
    let pid = 0
    let output = -1
    // An echo in its exec stop, before its first instruction.
    beforeEach(() => {
      const { echo } = world.programs
      const [r, w] = world.system.pipe2(O_CLOEXEC)
      pid = world.system.fork({
        actions: [
          { op: 'dup2', fd: w, target: 1 },
          { op: 'traceme' },
          { op: 'raise', signal: 'SIGSTOP' },
          { op: 'execve', files: [echo], argv: [echo, 'greetings'], env: ['A=1'] },
        ],
      })
      world.system.close(w)
      output = r
      world.system.waitpid(pid)
      world.system.ptraceSetOptions(pid, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD)
      world.system.ptraceCont(pid)
      expect(world.system.waitpid(pid)?.raw).toBe(0x04057f)
    })
    afterEach(() => {
      try {
        world.system.kill(pid, 'SIGKILL')
      } catch {
        // It has been reaped already.
      }
    })

    const register = (name: RegisterName) => registerOf(world.system.ptraceGetRegisters(pid), name)
    const read = (address: bigint, length: number) => world.system.readMemory(pid, address, length)
    const word = (address: bigint) => new DataView(read(address, 8).slice().buffer).getBigUint64(0, true)
    const string = (address: bigint) => {
      const data = text(read(address, 100))
      return data.slice(0, data.indexOf('\0'))
    }
    const argument = (i: number) => word(register(stackPointer!) + 8n * BigInt(1 + i))
    const endOfStack = () => {
      const line = /^[0-9a-f]+-([0-9a-f]+) .*\[stack\]$/m.exec(readFileSync(`/proc/${pid}/maps`, 'utf8'))
      return BigInt(`0x${line![1]}`)
    }

    it('shows the arguments of the program on its stack', () => {
      expect(word(register(stackPointer!))).toBe(2n)
      expect(string(argument(0))).toBe(world.programs.echo)
      expect(string(argument(1))).toBe('greetings')
      expect(argument(2)).toBe(0n)
      expect(string(argument(3))).toBe('A=1')
    })

    it('what is written to it is what the program finds', () => {
      expect(world.system.writeMemory(pid, argument(1), bytes('something\0'))).toBe(10)
      world.system.ptraceCont(pid)
      expect(world.system.waitpid(pid)?.raw).toBe(0)
      expect(readText(world.system, output)).toBe('something\n')
    })

    it('code can be read, and written though it is read-only for the program', () => {
      const at = register(instructionPointer!)
      const before = read(at, 8)
      expect(world.system.writeMemory(pid, at, new Uint8Array(8).fill(0xcc))).toBe(8)
      expect([...read(at, 8)]).toEqual(Array(8).fill(0xcc))
      world.system.writeMemory(pid, at, before)
      world.system.ptraceCont(pid)
      expect(world.system.waitpid(pid)?.raw).toBe(0)
      expect(readText(world.system, output)).toBe('greetings\n')
    })

    it('is read into a buffer that is given, as much as it holds or is there', () => {
      const at = register(stackPointer!)
      const buffer = new Uint8Array(40).fill(7)
      const part = world.system.readMemory(pid, at, buffer.subarray(8, 24))
      expect(part.buffer).toBe(buffer.buffer)
      expect([part.byteOffset, part.length]).toEqual([8, 16])
      expect([...part]).toEqual([...read(at, 16)])
      expect([...buffer.subarray(0, 8), ...buffer.subarray(24)]).toEqual(Array(24).fill(7))
      expect(world.system.readMemory(pid, endOfStack() - 16n, buffer).length).toBe(16)
      expect(failure(() => world.system.readMemory(pid, 8n, buffer))).toBe('EFAULT')
      expect(failure(() => world.system.readMemory(2147483647, at, new Uint8Array(1 << 20)))).toBe('ESRCH')
      expect(failure(() => world.system.readMemory(pid, 8n, new Uint8Array(1 << 20)))).toBe('EFAULT')
    })

    it('no bytes are read and written everywhere', () => {
      expect(read(register(stackPointer!), 0).length).toBe(0)
      expect(world.system.writeMemory(pid, register(stackPointer!), new Uint8Array(0))).toBe(0)
    })

    it.for([0n, 8n, 0x7fff_ffff_f000n, 0x8000_0000_0000n, 0xffff_ffff_0000_0000n, 0xffff_ffff_ffff_ffffn])(
      'at address %s, where nothing is, is EFAULT',
      address => {
        expect(failure(() => read(address, 8))).toBe('EFAULT')
        expect(failure(() => world.system.writeMemory(pid, address, new Uint8Array(8)))).toBe('EFAULT')
      },
    )

    it('at the end of what is mapped gives the part that is there', () => {
      const end = endOfStack()
      expect(read(end - 16n, 64).length).toBe(16)
      expect(world.system.writeMemory(pid, end - 16n, new Uint8Array(64))).toBe(16)
      expect(failure(() => read(end, 1))).toBe('EFAULT')
    })

    it('of a process that is not there is ESRCH', () => {
      expect(failure(() => world.system.readMemory(2147483647, 4096n, 8))).toBe('ESRCH')
      expect(failure(() => world.system.writeMemory(2147483647, 4096n, bytes('x')))).toBe('ESRCH')
      expect(failure(() => world.system.writeMemory(-1, 4096n, bytes('x')))).toBe('ESRCH')
    })

    it('large parts are read whole', () => {
      const start = endOfStack() - 100_000n
      const [stack] = [/^([0-9a-f]+)-[0-9a-f]+ .*\[stack\]$/m.exec(readFileSync(`/proc/${pid}/maps`, 'utf8'))!]
      const from = BigInt(`0x${stack[1]}`) > start ? BigInt(`0x${stack[1]}`) : start
      const length = Number(endOfStack() - from)
      expect(read(from, length).length).toBe(length)
    })

    describe('registers', () => {
      it('are all of the machine, as unsigned numbers', () => {
        const { architecture, ...registers } = world.system.ptraceGetRegisters(pid)
        expect(architecture).toBe(process.arch)
        // On arm64 the kernel itself names these registers pc and sp.
        expect(Object.keys(registers).length).toBe(isX64 ? 27 + 2 : 34)
        for (const value of Object.values(registers)) expect(BigInt.asUintN(64, value)).toBe(value)
        expect(registers.pc).not.toBe(0n)
        expect(registers.pc).toBe(register(instructionPointer!))
        expect(registers.sp).toBe(register(stackPointer!))
      })

      it('can be set one by one, the others keep their values', () => {
        const before = world.system.ptraceGetRegisters(pid)
        world.system.ptraceSetRegisters(pid, { [scratch!]: 0xfedc_ba98_7654_3210n })
        expect(world.system.ptraceGetRegisters(pid)).toEqual({ ...before, [scratch!]: 0xfedc_ba98_7654_3210n })
        world.system.ptraceSetRegisters(pid, {})
        world.system.ptraceSetRegisters(pid, before)
        expect(world.system.ptraceGetRegisters(pid)).toEqual(before)
      })

      it('that the machine does not have, or no 64-bit numbers, are refused', () => {
        const set = (registers: object) => thrown(() => world.system.ptraceSetRegisters(pid, registers as never))
        const foreign = isX64 ? 'x0' : 'rax'
        expect(set({ [foreign]: 1n })).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' })
        expect(set({ nothing: 1n })).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
        expect(set({ [scratch!]: 1 })).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
        expect(set({ [scratch!]: -1n })).toMatchObject({ name: 'RangeError', code: 'ERR_OUT_OF_RANGE' })
        expect(set({ [scratch!]: 2n ** 64n })).toMatchObject({ code: 'ERR_OUT_OF_RANGE' })
        expect(set({ architecture: 'arm' })).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
        expect(set({ architecture: 'vax' })).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
        expect(set({ architecture: 1 })).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
        expect(register(scratch!)).toBe(0n)
      })

      it('pc and sp stand for the names of the architecture, with which they must agree', () => {
        const sp = register(stackPointer!)
        world.system.ptraceSetRegisters(pid, { sp: sp - 64n })
        expect(register(stackPointer!)).toBe(sp - 64n)
        world.system.ptraceSetRegisters(pid, { sp, [stackPointer!]: sp, architecture: isX64 ? 'x64' : 'arm64' })
        expect(register(stackPointer!)).toBe(sp)
        if (!isX64) return
        const both = { sp: sp - 8n, rsp: sp + 8n } as const
        expect(thrown(() => world.system.ptraceSetRegisters(pid, both))).toMatchObject({
          code: 'ERR_INVALID_ARG_VALUE',
          message: expect.stringContaining('rsp'),
        })
        expect(register(stackPointer!)).toBe(sp)
      })
    })

    it('a step runs one instruction', () => {
      const before = register(instructionPointer!)
      // The first step ends at the exit of the execve call.
      for (let i = 0; i < 2; i++) {
        world.system.ptraceStep(pid)
        expect(world.system.waitpid(pid)?.raw).toBe(0x057f)
        // At the end of a system call, arm64 sends the signal without an address, as if by kill(2).
        const address = isX64 || i > 0 ? expect.any(BigInt) : undefined
        expect(world.system.ptraceGetSigInfo(pid)).toMatchObject({ signal: 'SIGTRAP', ...(address && { address }) })
      }
      expect(register(instructionPointer!)).not.toBe(before)
    })

    it('system calls stop it at their entry and at their exit', () => {
      const stops: (number | undefined)[] = []
      for (let i = 0; i < 4; i++) {
        world.system.ptraceSyscall(pid)
        stops.push(world.system.waitpid(pid)?.raw)
      }
      expect(stops).toEqual([0x857f, 0x857f, 0x857f, 0x857f])
      world.system.ptraceCont(pid)
      expect(world.system.waitpid(pid)?.raw).toBe(0)
      expect(readText(world.system, output)).toBe('greetings\n')
    })

    it('a fault reports its address', () => {
      world.system.ptraceSetRegisters(pid, { [instructionPointer!]: 0x1230n })
      world.system.ptraceCont(pid)
      expect(world.system.waitpid(pid)?.raw).toBe(0x0b7f)
      expect(world.system.ptraceGetSigInfo(pid)).toMatchObject({ signal: 'SIGSEGV', address: 0x1230n })
    })
  },
  { tracing: true, machineCode: true },
)
