import { expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { failure, heldChild } from './helpers.ts'
import { describeContract } from './suite.ts'

const { PTRACE_EVENTMSG_SYSCALL_ENTRY, PTRACE_EVENTMSG_SYSCALL_EXIT, PTRACE_O_TRACEEXEC, PTRACE_O_TRACESYSGOOD } =
  constants

describeContract(
  'the system call of a stop',
  world => {
    const traced = () => {
      const pid = world.system.fork({
        actions: [
          { op: 'traceme' },
          { op: 'raise', signal: 'SIGSTOP' },
          { op: 'chdir', path: '/no/such/folder' },
          { op: 'exit', code: 3 },
        ],
      })
      expect(world.system.waitpid(pid)?.raw).toBe(0x137f)
      return pid
    }
    const toNextCall = (pid: number) => {
      world.system.ptraceSyscall(pid)
      return world.system.waitpid(pid)?.raw
    }
    const endOf = (pid: number) => {
      world.system.kill(pid, 'SIGKILL')
      expect(world.system.waitpid(pid)?.raw).toBe(9)
    }

    it('is its entry, then its exit with the result', () => {
      const pid = traced()
      world.system.ptraceSetOptions(pid, PTRACE_O_TRACESYSGOOD)
      const atSignal = world.system.ptraceGetSyscallInfo(pid)
      expect(atSignal).toMatchObject({ phase: 'none', architecture: process.arch === 'arm64' ? 'arm64' : 'x64' })
      // What is left of raise() comes first: the child program is interpreted.
      const phases: string[] = []
      for (;;) {
        expect(toNextCall(pid)).toBe(0x857f)
        const info = world.system.ptraceGetSyscallInfo(pid)
        phases.push(info.phase)
        expect(world.system.ptraceGetEventMessage(pid)).toBe(
          info.phase === 'entry' ? PTRACE_EVENTMSG_SYSCALL_ENTRY : PTRACE_EVENTMSG_SYSCALL_EXIT,
        )
        if (info.phase === 'entry') {
          expect(info.args.length).toBe(6)
          for (const value of info.args) expect(BigInt.asUintN(64, value)).toBe(value)
        }
        if (info.phase === 'exit' && info.isError) {
          expect(info.result).toBe(-2n)
          break
        }
      }
      if (phases[0] === 'exit') phases.shift()
      expect(phases).toEqual(phases.map((_, i) => (i % 2 === 0 ? 'entry' : 'exit')))
      endOf(pid)
    })

    it('is not told without PTRACE_O_TRACESYSGOOD, but the phase is by the event message', () => {
      const pid = traced()
      expect(toNextCall(pid)).toBe(0x057f)
      expect(world.system.ptraceGetSyscallInfo(pid).phase).toBe('none')
      const first = world.system.ptraceGetEventMessage(pid)
      expect([PTRACE_EVENTMSG_SYSCALL_ENTRY, PTRACE_EVENTMSG_SYSCALL_EXIT]).toContain(first)
      expect(toNextCall(pid)).toBe(0x057f)
      expect(world.system.ptraceGetEventMessage(pid)).not.toBe(first)
      endOf(pid)
    })

    it('is none at the exec event, after which the exit of the exec comes', () => {
      const { true: path } = world.programs
      const pid = world.system.fork({
        actions: [
          { op: 'traceme' },
          { op: 'raise', signal: 'SIGSTOP' },
          { op: 'execve', files: [path], argv: [path], env: [] },
        ],
      })
      expect(world.system.waitpid(pid)?.raw).toBe(0x137f)
      world.system.ptraceSetOptions(pid, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC)
      world.system.ptraceCont(pid)
      expect(world.system.waitpid(pid)?.raw).toBe(0x04057f)
      expect(world.system.ptraceGetSyscallInfo(pid).phase).toBe('none')
      expect(toNextCall(pid)).toBe(0x857f)
      expect(world.system.ptraceGetSyscallInfo(pid)).toMatchObject({ phase: 'exit', result: 0n, isError: false })
      endOf(pid)
    })

    it('of a tracee that runs, or is none, is ESRCH', () => {
      const child = heldChild(world.system)
      for (const pid of [child.pid, 2147483647]) {
        expect(failure(() => world.system.ptraceGetSyscallInfo(pid))).toBe('ESRCH')
      }
      child.abandon()
      world.system.waitpid(child.pid)
    })
  },
  { tracing: true },
)
