import { describe, expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { bytes, failure, heldChild } from './helpers.ts'
import { describeContract } from './suite.ts'

const { O_CLOEXEC, PTRACE_O_TRACEEXEC, PTRACE_O_TRACEEXIT, WCONTINUED, WNOHANG, WUNTRACED } = constants

const stopBySigstop = 0x137f
const stopByInterrupt = 0x80057f
const groupStop = 0x80137f

describeContract(
  'tracing a child that runs',
  world => {
    const wait = (pid: number, options?: number) => world.system.waitpid(pid, options)?.raw
    const execTrue = () => ({ op: 'execve', files: [world.programs.true], argv: ['true'], env: [] }) as const

    describe('by seizing it', () => {
      it('it runs on, and to its end', () => {
        const child = heldChild(world.system, { after: [{ op: 'exit', code: 2 }] })
        world.system.ptraceSeize(child.pid, 0)
        expect(world.system.waitpid(child.pid, WNOHANG)).toBeNull()
        child.release()
        expect(wait(child.pid)).toBe(0x0200)
      })

      it('there is a stop at exec with the option, and none without', () => {
        const first = heldChild(world.system, { after: [execTrue()] })
        world.system.ptraceSeize(first.pid, PTRACE_O_TRACEEXEC)
        first.release()
        expect(wait(first.pid)).toBe(0x04057f)
        world.system.ptraceCont(first.pid)
        expect(wait(first.pid)).toBe(0)
        const second = heldChild(world.system, { after: [execTrue()] })
        world.system.ptraceSeize(second.pid, 0)
        second.release()
        expect(wait(second.pid)).toBe(0)
      })

      it('an interrupt stops it', () => {
        const child = heldChild(world.system, { after: [{ op: 'exit', code: 2 }] })
        world.system.ptraceSeize(child.pid, 0)
        world.system.ptraceInterrupt(child.pid)
        const stop = world.system.waitpid(child.pid)
        expect(stop).toMatchObject({
          raw: stopByInterrupt,
          status: { kind: 'stopped', signal: 'SIGTRAP', event: 'stop' },
        })
        world.system.ptraceCont(child.pid)
        expect(world.system.waitpid(child.pid, WNOHANG)).toBeNull()
        child.release()
        expect(wait(child.pid)).toBe(0x0200)
      })

      it('a SIGSTOP stops it twice: before its delivery, and as a group', () => {
        const child = heldChild(world.system)
        world.system.ptraceSeize(child.pid, 0)
        world.system.kill(child.pid, 'SIGSTOP')
        expect(wait(child.pid)).toBe(stopBySigstop)
        expect(world.system.ptraceGetSigInfo(child.pid)).toMatchObject({ signal: 'SIGSTOP', code: 0 })
        world.system.ptraceCont(child.pid, 'SIGSTOP')
        expect(world.system.waitpid(child.pid)).toMatchObject({
          raw: groupStop,
          status: { kind: 'stopped', signal: 'SIGSTOP', event: 'stop' },
        })
        world.system.ptraceCont(child.pid)
        child.release()
        expect(wait(child.pid)).toBe(0)
      })

      it.for(['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH'] as const)(
        'right at its birth, it stops for a %s that its default action ignores',
        signal => {
          const [gate, go] = world.system.pipe2(O_CLOEXEC)
          // Time and again: a child may have begun its actions by then.
          for (let round = 0; round < 20; round++) {
            const pid = world.system.fork({ actions: [{ op: 'read', fd: gate, bytes: 1 }] })
            world.system.ptraceSeize(pid, 0)
            world.system.kill(pid, signal)
            world.system.write(go, bytes('!'))
            let found = world.system.waitpid(pid)
            if (found?.raw === stopByInterrupt) {
              world.system.ptraceCont(pid)
              found = world.system.waitpid(pid)
            }
            expect(found?.status).toMatchObject({ kind: 'stopped', signal })
            world.system.ptraceCont(pid, signal)
            expect(wait(pid)).toBe(0)
          }
        },
      )

      it('in a group-stop it may stay until SIGCONT, which it then stops for', () => {
        const child = heldChild(world.system)
        world.system.ptraceSeize(child.pid, 0)
        world.system.kill(child.pid, 'SIGSTOP')
        wait(child.pid)
        world.system.ptraceCont(child.pid, 'SIGSTOP')
        expect(wait(child.pid)).toBe(groupStop)
        world.system.ptraceListen(child.pid)
        expect(world.system.waitpid(child.pid, WNOHANG)).toBeNull()
        expect(failure(() => world.system.ptraceCont(child.pid))).toBe('ESRCH')
        world.system.kill(child.pid, 'SIGCONT')
        expect(wait(child.pid)).toBe(stopByInterrupt)
        world.system.ptraceCont(child.pid)
        expect(wait(child.pid)).toBe(0x127f)
        world.system.ptraceCont(child.pid, 'SIGCONT')
        child.release()
        expect(wait(child.pid)).toBe(0)
      })

      it('listening anywhere else than in a group-stop is EIO', () => {
        const child = heldChild(world.system)
        world.system.ptraceSeize(child.pid, 0)
        world.system.kill(child.pid, 'SIGUSR1')
        expect(wait(child.pid)).toBe(0x0a7f)
        expect(failure(() => world.system.ptraceListen(child.pid))).toBe('EIO')
        world.system.ptraceCont(child.pid)
        child.release()
        expect(wait(child.pid)).toBe(0)
      })

      it('one that is stopped already tells its group-stop', () => {
        const child = heldChild(world.system)
        world.system.kill(child.pid, 'SIGSTOP')
        expect(wait(child.pid, WUNTRACED)).toBe(stopBySigstop)
        world.system.ptraceSeize(child.pid, 0)
        expect(wait(child.pid)).toBe(groupStop)
        world.system.ptraceDetach(child.pid)
        world.system.kill(child.pid, 'SIGCONT')
        expect(wait(child.pid, WCONTINUED | WUNTRACED)).toBe(0xffff)
        child.release()
        expect(wait(child.pid)).toBe(0)
      })

      it('detached from an interrupt it runs on', () => {
        const child = heldChild(world.system, { after: [{ op: 'exit', code: 9 }] })
        world.system.ptraceSeize(child.pid, PTRACE_O_TRACEEXIT)
        world.system.ptraceInterrupt(child.pid)
        wait(child.pid)
        world.system.ptraceDetach(child.pid)
        child.release()
        expect(wait(child.pid)).toBe(0x0900)
      })

      it('options that there are not are EIO, and it is not traced', () => {
        const child = heldChild(world.system)
        expect(failure(() => world.system.ptraceSeize(child.pid, 0x40000000))).toBe('EIO')
        expect(failure(() => world.system.ptraceInterrupt(child.pid))).toBe('ESRCH')
        child.release()
        expect(wait(child.pid)).toBe(0)
      })
    })

    describe('by attaching to it', () => {
      it('it stops', () => {
        const child = heldChild(world.system, { after: [{ op: 'exit', code: 8 }] })
        world.system.ptraceAttach(child.pid)
        expect(wait(child.pid)).toBe(stopBySigstop)
        world.system.ptraceDetach(child.pid)
        child.release()
        expect(wait(child.pid)).toBe(0x0800)
      })

      it('it stops at exec with SIGTRAP', () => {
        const child = heldChild(world.system, { after: [execTrue()] })
        world.system.ptraceAttach(child.pid)
        wait(child.pid)
        world.system.ptraceCont(child.pid)
        child.release()
        expect(wait(child.pid)).toBe(0x057f)
        world.system.ptraceCont(child.pid)
        expect(wait(child.pid)).toBe(0)
      })

      it('one that was handed off stopped can be taken again', () => {
        const pid = world.system.fork({
          actions: [{ op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }, { op: 'exit', code: 1 }],
        })
        expect(wait(pid)).toBe(stopBySigstop)
        world.system.ptraceDetach(pid, 'SIGSTOP')
        expect(wait(pid, WUNTRACED)).toBe(stopBySigstop)
        world.system.ptraceAttach(pid)
        expect(wait(pid)).toBe(stopBySigstop)
        world.system.ptraceDetach(pid, 'SIGSTOP')
        world.system.kill(pid, 'SIGCONT')
        expect(wait(pid)).toBe(0x0100)
      })

      it('to what is not there is ESRCH', () => {
        for (const pid of [2147483647, 0, -1]) {
          expect(failure(() => world.system.ptraceAttach(pid))).toBe('ESRCH')
          expect(failure(() => world.system.ptraceSeize(pid, 0))).toBe('ESRCH')
        }
      })
    })
  },
  { tracing: true },
)
