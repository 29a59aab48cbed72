import { describe, expect, it } from 'vitest'
import type { ChildAction } from '../../lib/system/child-program.ts'
import { constants } from '../../lib/system/constants.ts'
import { failure, heldChild, thrown } from './helpers.ts'
import { describeContract } from './suite.ts'

const {
  PTRACE_O_EXITKILL,
  PTRACE_O_TRACEEXEC,
  PTRACE_O_TRACEEXIT,
  PTRACE_O_TRACESYSGOOD,
  WCONTINUED,
  WNOHANG,
  WUNTRACED,
} = constants

const stopBySigstop = 0x137f

describeContract(
  'tracing with traceme',
  world => {
    const wait = (pid: number, options?: number) => world.system.waitpid(pid, options)?.raw
    const execTrue = (): ChildAction => ({
      op: 'execve',
      files: [world.programs.true],
      argv: ['true'],
      env: [],
    })
    /** A tracee stopped by a SIGSTOP that it raised, with further actions to run. */
    const stoppedTracee = (after: readonly ChildAction[], memory: 'shared' | 'copied' = 'shared') => {
      const pid = world.system.fork({
        actions: [{ op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }, ...after],
        memory,
      })
      expect(wait(pid)).toBe(stopBySigstop)
      return pid
    }

    it('stops at exec with SIGTRAP, sent by itself, without an option', () => {
      const pid = world.system.fork({ actions: [{ op: 'traceme' }, execTrue()] })
      expect(wait(pid)).toBe(0x057f)
      expect(world.system.ptraceGetSigInfo(pid)).toMatchObject({ signal: 'SIGTRAP', code: 0 })
      world.system.ptraceCont(pid)
      expect(wait(pid)).toBe(0)
    })

    it.for(['shared', 'copied'] as const)('stops at the exec event with the option, in %s memory', memory => {
      const pid = stoppedTracee([execTrue()], memory)
      world.system.ptraceSetOptions(pid, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD)
      world.system.ptraceCont(pid)
      const stop = world.system.waitpid(pid)
      expect(stop).toMatchObject({ raw: 0x04057f, status: { kind: 'stopped', signal: 'SIGTRAP', event: 'exec' } })
      expect(world.system.ptraceGetEventMessage(pid)).toBe(pid)
      world.system.ptraceCont(pid)
      expect(wait(pid)).toBe(0)
    })

    it('there is no stop for an exec that fails', () => {
      const pid = stoppedTracee([{ op: 'execve', files: ['/no/such/program'], argv: ['it'], env: [] }])
      world.system.ptraceSetOptions(pid, PTRACE_O_TRACEEXEC)
      world.system.ptraceCont(pid)
      expect(wait(pid)).toBe(127 << 8)
    })

    it('stops before its end with the option, and tells its status', () => {
      const pid = stoppedTracee([{ op: 'exit', code: 7 }])
      world.system.ptraceSetOptions(pid, PTRACE_O_TRACEEXIT)
      world.system.ptraceCont(pid)
      expect(world.system.waitpid(pid)).toMatchObject({ raw: 0x06057f, status: { event: 'exit' } })
      expect(world.system.ptraceGetEventMessage(pid)).toBe(0x0700)
      world.system.ptraceCont(pid)
      expect(wait(pid)).toBe(0x0700)
    })

    it('stops before a delivered signal, which it gets only when it is passed on', () => {
      const child = heldChild(world.system, { before: [{ op: 'traceme' }] })
      world.system.kill(child.pid, 'SIGUSR1')
      expect(wait(child.pid)).toBe(0x0a7f)
      expect(world.system.ptraceGetSigInfo(child.pid)).toMatchObject({
        signal: 'SIGUSR1',
        code: 0,
        errno: 0,
        pid: expect.any(Number),
        uid: expect.any(Number),
      })
      world.system.ptraceCont(child.pid)
      world.system.kill(child.pid, 'SIGUSR1')
      expect(wait(child.pid)).toBe(0x0a7f)
      world.system.ptraceCont(child.pid, 'SIGUSR1')
      expect(wait(child.pid)).toBe(10)
    })

    it('another signal may be delivered in its place', () => {
      const child = heldChild(world.system, { before: [{ op: 'traceme' }] })
      world.system.kill(child.pid, 'SIGUSR1')
      wait(child.pid)
      world.system.ptraceCont(child.pid, 15)
      expect(wait(child.pid)).toBe(15)
    })

    it('stops for signals that would do nothing', () => {
      const child = heldChild(world.system, { before: [{ op: 'traceme' }] })
      world.system.kill(child.pid, 'SIGWINCH')
      expect(wait(child.pid)).toBe(0x1c7f)
      world.system.ptraceCont(child.pid, 'SIGWINCH')
      child.release()
      expect(wait(child.pid)).toBe(0)
    })

    it('real-time signals are reported by their names', () => {
      const child = heldChild(world.system, { before: [{ op: 'traceme' }] })
      world.system.kill(child.pid, 'SIGRTMIN+2')
      expect(world.system.waitpid(child.pid)).toMatchObject({ raw: 0x247f, status: { signal: 'SIGRTMIN+2' } })
      world.system.ptraceCont(child.pid, 'SIGRTMIN+2')
      expect(wait(child.pid)).toBe(36)
    })

    it('SIGKILL ends it in its stop, without another', () => {
      const pid = stoppedTracee([])
      world.system.kill(pid, 'SIGKILL')
      expect(wait(pid)).toBe(9)
    })

    it('its stops are reported without WUNTRACED, once', () => {
      const pid = stoppedTracee([])
      expect(world.system.waitpid(pid, WNOHANG | WUNTRACED)).toBeNull()
      world.system.ptraceCont(pid)
      expect(wait(pid)).toBe(0)
    })

    it('a SIGSTOP that is passed on gives a group-stop, which has no siginfo', () => {
      const pid = stoppedTracee([{ op: 'exit', code: 3 }])
      world.system.ptraceCont(pid, 'SIGSTOP')
      expect(wait(pid)).toBe(stopBySigstop)
      expect(failure(() => world.system.ptraceGetSigInfo(pid))).toBe('EINVAL')
      world.system.ptraceCont(pid)
      expect(wait(pid)).toBe(0x0300)
    })

    describe('detached', () => {
      it('it runs on', () => {
        const pid = stoppedTracee([{ op: 'exit', code: 4 }])
        world.system.ptraceDetach(pid)
        expect(wait(pid)).toBe(0x0400)
      })

      it('with SIGSTOP at the stop of a signal it stays stopped, untraced', () => {
        const pid = stoppedTracee([{ op: 'exit', code: 4 }])
        world.system.ptraceDetach(pid, 'SIGSTOP')
        expect(wait(pid, WUNTRACED)).toBe(stopBySigstop)
        expect(failure(() => world.system.ptraceCont(pid))).toBe('ESRCH')
        world.system.kill(pid, 'SIGCONT')
        expect(wait(pid)).toBe(0x0400)
      })

      it('with a signal that kills it dies of it', () => {
        const pid = stoppedTracee([])
        world.system.ptraceDetach(pid, 'SIGTERM')
        expect(wait(pid)).toBe(15)
      })

      it('at the exec event it is left stopped by a SIGSTOP that was sent before', () => {
        const { sleep } = world.programs
        const pid = stoppedTracee([{ op: 'execve', files: [sleep], argv: ['sleep', '1000'], env: [] }])
        world.system.ptraceSetOptions(pid, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)
        world.system.ptraceCont(pid)
        expect(wait(pid)).toBe(0x04057f)
        world.system.kill(pid, 'SIGSTOP')
        world.system.ptraceDetach(pid)
        expect(wait(pid, WUNTRACED)).toBe(stopBySigstop)
        world.system.kill(pid, 'SIGCONT')
        world.system.kill(pid, 'SIGTERM')
        expect(wait(pid)).toBe(15)
      })
    })

    it('setsigmask says which signals it blocks from now on', () => {
      const pid = stoppedTracee([
        { op: 'raise', signal: 'SIGUSR1' },
        { op: 'raise', signal: 64 },
        { op: 'raise', signal: 'SIGUSR2' },
        { op: 'exit', code: 6 },
      ])
      world.system.ptraceSetSigMask(pid, ['SIGUSR1', 64, 'SIGKILL', 'SIGSTOP'])
      expect(world.system.ptraceGetSigMask(pid)).toEqual(['SIGUSR1', 'SIGRTMAX'])
      world.system.ptraceCont(pid)
      expect(wait(pid)).toBe(0x0c7f)
      world.system.ptraceSetSigMask(pid, [])
      world.system.ptraceCont(pid)
      expect(wait(pid)).toBe(0x0a7f)
      world.system.ptraceCont(pid)
      expect(wait(pid)).toBe(0x407f)
      world.system.ptraceCont(pid)
      expect(wait(pid)).toBe(0x0600)
    })

    it('tgkill sends a signal to its thread, with si_code SI_TKILL', () => {
      const child = heldChild(world.system, { before: [{ op: 'traceme' }] })
      world.system.tgkill(child.pid, child.pid, 'SIGUSR1')
      expect(wait(child.pid)).toBe(0x0a7f)
      expect(world.system.ptraceGetSigInfo(child.pid)).toMatchObject({ signal: 'SIGUSR1', code: -6 })
      world.system.ptraceCont(child.pid)
      expect(failure(() => world.system.tgkill(child.pid, child.pid, 65))).toBe('EINVAL')
      expect(failure(() => world.system.tgkill(2147483647, child.pid, 0))).toBe('ESRCH')
      expect(failure(() => world.system.tgkill(child.pid, 2147483647, 0))).toBe('ESRCH')
      for (const none of [0, -1]) {
        expect(failure(() => world.system.tgkill(none, child.pid, 0))).toBe('EINVAL')
        expect(failure(() => world.system.tgkill(child.pid, none, 0))).toBe('EINVAL')
      }
      child.release()
      expect(wait(child.pid)).toBe(0)
    })

    it('a signal passed on while it is blocked stays pending, as it was sent', () => {
      const pid = stoppedTracee([{ op: 'exit', code: 3 }])
      world.system.kill(pid, 'SIGUSR1')
      world.system.ptraceCont(pid)
      expect(wait(pid)).toBe(0x0a7f)
      const all = Array.from({ length: 64 }, (_, i) => i + 1)
      world.system.ptraceSetSigMask(pid, all)
      world.system.tgkill(pid, pid, 'SIGSTOP')
      world.system.ptraceCont(pid, 'SIGUSR1')
      expect(wait(pid)).toBe(stopBySigstop)
      world.system.ptraceSetSigMask(pid, [])
      world.system.ptraceCont(pid)
      expect(wait(pid)).toBe(0x0a7f)
      expect(world.system.ptraceGetSigInfo(pid)).toMatchObject({ signal: 'SIGUSR1', code: 0 })
      world.system.ptraceCont(pid)
      expect(wait(pid)).toBe(0x0300)
    })

    it('a group-stop is kept, and its end is reported to a wait for continuations', () => {
      const pid = stoppedTracee([{ op: 'exit', code: 3 }])
      world.system.ptraceCont(pid, 'SIGSTOP')
      expect(wait(pid)).toBe(stopBySigstop)
      expect(world.system.waitpid(pid, WNOHANG | WCONTINUED)).toBeNull()
      world.system.kill(pid, 'SIGCONT')
      expect(wait(pid, WNOHANG | WCONTINUED)).toBe(0xffff)
      world.system.ptraceCont(pid)
      expect(wait(pid)).toBe(0x127f)
      world.system.ptraceCont(pid)
      expect(wait(pid)).toBe(0x0300)
    })

    describe('refused', () => {
      const requests: readonly [string, (pid: number) => unknown][] = [
        ['cont', pid => world.system.ptraceCont(pid)],
        ['step', pid => world.system.ptraceStep(pid)],
        ['syscall', pid => world.system.ptraceSyscall(pid)],
        ['detach', pid => world.system.ptraceDetach(pid)],
        ['listen', pid => world.system.ptraceListen(pid)],
        ['set options', pid => world.system.ptraceSetOptions(pid, 0)],
        ['event message', pid => world.system.ptraceGetEventMessage(pid)],
        ['siginfo', pid => world.system.ptraceGetSigInfo(pid)],
        ['registers', pid => world.system.ptraceGetRegisters(pid)],
        ['set registers', pid => world.system.ptraceSetRegisters(pid, {})],
        ['signal mask', pid => world.system.ptraceGetSigMask(pid)],
        ['set signal mask', pid => world.system.ptraceSetSigMask(pid, [])],
      ]

      it.for(requests)('%s of one that runs, is not traced, or is not there: ESRCH', ([, request]) => {
        const running = heldChild(world.system, { before: [{ op: 'traceme' }] })
        expect(failure(() => request(running.pid))).toBe('ESRCH')
        running.abandon()
        expect(wait(running.pid)).toBe(126 << 8)
        const untraced = heldChild(world.system)
        expect(failure(() => request(untraced.pid))).toBe('ESRCH')
        untraced.abandon()
        expect(wait(untraced.pid)).toBe(126 << 8)
        for (const pid of [running.pid, 2147483647, 0, -1]) expect(failure(() => request(pid))).toBe('ESRCH')
      })

      it('an error names the request and the process', () => {
        expect(thrown(() => world.system.ptraceCont(2147483647))).toMatchObject({
          code: 'ESRCH',
          errno: -3,
          syscall: 'ptrace',
          pid: 2147483647,
        })
      })

      it('an invalid signal is EIO, unknown options are EINVAL', () => {
        const pid = stoppedTracee([])
        for (const signal of [65, -1, 1000]) {
          expect(failure(() => world.system.ptraceCont(pid, signal))).toBe('EIO')
          expect(failure(() => world.system.ptraceDetach(pid, signal))).toBe('EIO')
        }
        expect(failure(() => world.system.ptraceSetOptions(pid, 0x40000000))).toBe('EINVAL')
        world.system.ptraceCont(pid)
        expect(wait(pid)).toBe(0)
      })

      it('listen and interrupt of one that was not seized: EIO', () => {
        const pid = stoppedTracee([])
        expect(failure(() => world.system.ptraceListen(pid))).toBe('EIO')
        expect(failure(() => world.system.ptraceInterrupt(pid))).toBe('EIO')
        world.system.ptraceCont(pid)
        expect(wait(pid)).toBe(0)
      })

      it('tracing it once more: EPERM', () => {
        const pid = stoppedTracee([{ op: 'traceme' }])
        expect(failure(() => world.system.ptraceAttach(pid))).toBe('EPERM')
        expect(failure(() => world.system.ptraceSeize(pid, 0))).toBe('EPERM')
        world.system.ptraceCont(pid)
        expect(wait(pid)).toBe(127 << 8)
      })
    })
  },
  { tracing: true },
)
