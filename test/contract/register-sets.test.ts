import { expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { failure, heldChild } from './helpers.ts'
import { describeContract } from './suite.ts'

const { NT_ARM_HW_BREAK, NT_ARM_HW_WATCH, NT_PRFPREG, NT_PRSTATUS, NT_X86_XSTATE, PTRACE_O_EXITKILL } = constants

const isX64 = process.arch === 'x64'
const noSuchSet = 0x7777

describeContract(
  'register sets',
  world => {
    const traced = () => {
      const pid = world.system.fork({
        actions: [{ op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }, { op: 'exit', code: 6 }],
      })
      expect(world.system.waitpid(pid)?.raw).toBe(0x137f)
      world.system.ptraceSetOptions(pid, PTRACE_O_EXITKILL)
      return pid
    }
    const endOf = (pid: number) => {
      world.system.ptraceCont(pid)
      expect(world.system.waitpid(pid)?.raw).toBe(0x0600)
    }

    it('of the general registers has the registers by name', () => {
      const pid = traced()
      const bytes = world.system.ptraceGetRegisterSet(pid, NT_PRSTATUS)
      expect(bytes.length).toBe(isX64 ? 27 * 8 : 34 * 8)
      const registers = world.system.ptraceGetRegisters(pid)
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      expect(view.getBigUint64(isX64 ? 16 * 8 : 32 * 8, true)).toBe(registers.pc)
      world.system.ptraceSetRegisterSet(pid, NT_PRSTATUS, bytes)
      expect(world.system.ptraceGetRegisters(pid)).toEqual(registers)
      endOf(pid)
    })

    it('written in part change the first registers only', () => {
      const pid = traced()
      const before = world.system.ptraceGetRegisterSet(pid, NT_PRSTATUS)
      const part = new Uint8Array(16)
      part.set(before.subarray(0, 8))
      part.fill(0x5a, 8)
      world.system.ptraceSetRegisterSet(pid, NT_PRSTATUS, part)
      const after = world.system.ptraceGetRegisterSet(pid, NT_PRSTATUS)
      expect([...after]).toEqual([...part, ...before.subarray(16)])
      expect(failure(() => world.system.ptraceSetRegisterSet(pid, NT_PRSTATUS, new Uint8Array(3)))).toBe('EINVAL')
      world.system.ptraceSetRegisterSet(pid, NT_PRSTATUS, before)
      endOf(pid)
    })

    it('that the machine does not have are EINVAL', () => {
      const pid = traced()
      expect(failure(() => world.system.ptraceGetRegisterSet(pid, noSuchSet))).toBe('EINVAL')
      expect(failure(() => world.system.ptraceSetRegisterSet(pid, noSuchSet, new Uint8Array(8)))).toBe('EINVAL')
      endOf(pid)
    })

    it('and the user area of a tracee that runs, or is none, are ESRCH', () => {
      const child = heldChild(world.system)
      for (const pid of [child.pid, 2147483647]) {
        expect(failure(() => world.system.ptraceGetRegisterSet(pid, NT_PRSTATUS))).toBe('ESRCH')
        expect(failure(() => world.system.ptraceSetRegisterSet(pid, NT_PRSTATUS, new Uint8Array(8)))).toBe('ESRCH')
        expect(failure(() => world.system.ptracePeekUser(pid, 0))).toBe('ESRCH')
        expect(failure(() => world.system.ptracePokeUser(pid, 0, 0n))).toBe('ESRCH')
      }
      child.abandon()
      world.system.waitpid(child.pid)
    })

    it('the user area is EIO outside of it, and where there is none', () => {
      const pid = traced()
      for (const offset of [-8, 3, 100_000]) {
        expect(failure(() => world.system.ptracePeekUser(pid, offset))).toBe('EIO')
        expect(failure(() => world.system.ptracePokeUser(pid, offset, 0n))).toBe('EIO')
      }
      endOf(pid)
    })
  },
  { tracing: true },
)

describeContract(
  `register sets of ${process.arch}`,
  world => {
    const stopped = () => {
      const pid = world.system.fork({
        actions: [{ op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }, { op: 'exit', code: 0 }],
      })
      world.system.waitpid(pid)
      return pid
    }

    it.runIf(isX64)('floating point and extended state are as long as the kernel says, and can be written', () => {
      const { system } = world
      const pid = stopped()
      const fp = system.ptraceGetRegisterSet(pid, NT_PRFPREG)
      expect(fp.length).toBe(512)
      // xmm0 is at byte 160 of the FXSAVE area, which the extended state begins with.
      const marked = fp.slice()
      marked.set([1, 2, 3, 4, 5, 6, 7, 8], 160)
      system.ptraceSetRegisterSet(pid, NT_PRFPREG, marked)
      expect([...system.ptraceGetRegisterSet(pid, NT_PRFPREG).subarray(160, 168)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
      const extended = system.ptraceGetRegisterSet(pid, NT_X86_XSTATE)
      expect(extended.length).toBeGreaterThanOrEqual(576)
      expect([...extended.subarray(160, 168)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
      extended.set([9, 9], 160)
      system.ptraceSetRegisterSet(pid, NT_X86_XSTATE, extended)
      expect([...system.ptraceGetRegisterSet(pid, NT_PRFPREG).subarray(160, 164)]).toEqual([9, 9, 3, 4])
      system.ptraceCont(pid)
      expect(system.waitpid(pid)?.raw).toBe(0)
    })

    it.skipIf(isX64)('floating point is as long as the kernel says, and can be written', () => {
      const { system } = world
      const pid = stopped()
      const fp = system.ptraceGetRegisterSet(pid, NT_PRFPREG)
      // 32 registers of 16 bytes, FPSR, FPCR and padding.
      expect(fp.length).toBe(528)
      const marked = fp.slice()
      marked.set([1, 2, 3, 4, 5, 6, 7, 8], 31 * 16)
      system.ptraceSetRegisterSet(pid, NT_PRFPREG, marked)
      expect([...system.ptraceGetRegisterSet(pid, NT_PRFPREG)]).toEqual([...marked])
      system.ptraceCont(pid)
      expect(system.waitpid(pid)?.raw).toBe(0)
    })

    it.skipIf(isX64).each([
      ['NT_ARM_HW_BREAK', NT_ARM_HW_BREAK, 0xf << 5],
      ['NT_ARM_HW_WATCH', NT_ARM_HW_WATCH, (0xff << 5) | (3 << 3)],
    ] as const)('debug registers are as many as the machine has, and can be written (%s)', (_, type, kind) => {
      const { system } = world
      const pid = stopped()
      const bytes = system.ptraceGetRegisterSet(pid, type)
      const count = bytes[0] ?? 0
      expect(count).toBeGreaterThan(0)
      expect(bytes.length).toBe(8 + 16 * 16)
      const set = new Uint8Array(24)
      const view = new DataView(set.buffer)
      view.setBigUint64(8, 0x1234_5000n, true)
      view.setUint32(16, kind | (2 << 1) | 1, true)
      system.ptraceSetRegisterSet(pid, type, set)
      const written = new DataView(system.ptraceGetRegisterSet(pid, type).slice().buffer)
      expect([written.getBigUint64(8, true), written.getUint32(16, true)]).toEqual([0x1234_5000n, kind | (2 << 1) | 1])
      view.setBigUint64(8, 0xffff_8000_0000_0000n, true)
      expect(
        failure(() => system.ptraceSetRegisterSet(pid, type, set)),
        'no address of the kernel',
      ).toBe('EINVAL')
      system.ptraceSetRegisterSet(pid, type, new Uint8Array(24))
      system.kill(pid, 'SIGKILL')
      system.waitpid(pid)
    })

    it.runIf(isX64)('the user area has the registers and the debug registers', () => {
      const { system } = world
      const pid = stopped()
      expect(system.ptracePeekUser(pid, 16 * 8)).toBe(system.ptraceGetRegisters(pid).pc)
      system.ptracePokeUser(pid, 3 * 8, 0xffff_eeee_dddd_ccccn)
      expect(system.ptraceGetRegisters(pid)).toMatchObject({ r12: 0xffff_eeee_dddd_ccccn })
      system.ptracePokeUser(pid, 848, 0x1234_5000n)
      expect(system.ptracePeekUser(pid, 848)).toBe(0x1234_5000n)
      // Debug registers take no address of the kernel.
      expect(failure(() => system.ptracePokeUser(pid, 848, 0xffff_ffff_8000_0000n))).toBe('EINVAL')
      expect(failure(() => system.ptracePokeUser(pid, 5 * 8 - 1, 0n))).toBe('EIO')
      system.ptracePokeUser(pid, 848, 0n)
      system.kill(pid, 'SIGKILL')
      system.waitpid(pid)
    })
  },
  { tracing: true, machineCode: true },
)
