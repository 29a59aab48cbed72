import { describe, expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { failure } from './helpers.ts'
import { eventStop, execStop, isQuiet, sigstop, takeBirth, trace, waitFor } from './scripts.ts'
import { describeContract } from './suite.ts'

const { PTRACE_O_TRACECLONE, PTRACE_O_TRACEFORK, PTRACE_O_TRACEVFORK, PTRACE_O_TRACEVFORKDONE } = constants

const forkStop = 0x01057f
const vforkStop = 0x02057f
const vforkDoneStop = 0x05057f
const births = { traceme: sigstop, seize: eventStop } as const

describeContract(
  'the children of a tracee',
  world => {
    const wait = (tid: number) => waitFor(world.system, tid)
    const cont = (tid: number) => world.system.ptraceCont(tid)

    describe.each(['traceme', 'seize'] as const)('under %s', how => {
      it('by fork are followed, theirs too, and their parent is told of their ends after the tracer', () => {
        const { pid, open } = trace(world, 'f(f(x3)r40x4)r41x5', how, PTRACE_O_TRACEFORK)
        cont(pid)
        expect(wait(pid)).toBe(forkStop)
        const child = takeBirth(world.system, pid, births[how])
        expect(wait(child)).toBe(forkStop)
        const grandchild = takeBirth(world.system, child, births[how])
        expect(wait(grandchild)).toBe(0x0300)
        // Traced, it stops for its SIGCHLD.
        expect(wait(child)).toBe(0x117f)
        expect(world.system.ptraceGetSigInfo(child)).toMatchObject({ pid: grandchild, status: 3 })
        cont(child)
        open(0)
        expect(wait(child)).toBe(0x0400)
        expect(failure(() => world.system.waitpid(child))).toBe('ECHILD')
        expect(wait(pid)).toBe(0x117f)
        cont(pid)
        open(1)
        expect(wait(pid)).toBe(0x0500)
      })

      it('by fork of another thread come in an event of that thread', () => {
        const { pid } = trace(world, 't(f(x3)p)p', how, PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE)
        cont(pid)
        expect(wait(pid)).toBe(0x03057f)
        const thread = takeBirth(world.system, pid, births[how])
        expect(wait(thread)).toBe(forkStop)
        const child = takeBirth(world.system, thread, births[how])
        expect(wait(child)).toBe(0x0300)
        world.system.kill(pid, 'SIGKILL')
        expect([wait(thread), wait(pid)]).toEqual([9, 9])
      })

      it('that are not followed have no tracer', () => {
        const { pid, open } = trace(world, 'f(r40x3)r41x5', how, PTRACE_O_TRACECLONE | PTRACE_O_TRACEVFORK)
        cont(pid)
        open(0)
        // The tracee's SIGCHLD is all that is seen.
        expect(wait(pid)).toBe(0x117f)
        const { pid: child } = world.system.ptraceGetSigInfo(pid)
        expect(failure(() => world.system.waitpid(child!))).toBe('ECHILD')
        cont(pid)
        open(1)
        expect(wait(pid)).toBe(0x0500)
      })

      it('inherit the options', () => {
        const { pid } = trace(world, 'f(E)p', how, PTRACE_O_TRACEFORK)
        cont(pid)
        expect(wait(pid)).toBe(forkStop)
        const child = takeBirth(world.system, pid, births[how])
        expect(wait(child)).toBe(execStop)
        expect(world.system.ptraceGetEventMessage(child)).toBe(child)
        cont(child)
        expect(wait(child)).toBe(0)
        world.system.kill(pid, 'SIGKILL')
        while (wait(pid) !== 9);
      })

      it('by vfork let their parent sleep until their exec: it stops for the event before, and for its end after', () => {
        const { pid, open } = trace(world, 'v(r40E)r41x5', how, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE)
        cont(pid)
        expect(wait(pid)).toBe(vforkStop)
        const child = takeBirth(world.system, pid, births[how])
        // The parent answers neither a signal nor a detach.
        world.system.tgkill(pid, pid, 'SIGUSR1')
        expect(isQuiet(world.system, pid)).toBe(true)
        expect(failure(() => world.system.ptraceDetach(pid))).toBe('ESRCH')
        open(0)
        expect(wait(child)).toBe(execStop)
        expect(wait(pid)).toBe(vforkDoneStop)
        expect(world.system.ptraceGetEventMessage(pid)).toBe(child)
        cont(pid)
        expect(wait(pid)).toBe(0x0a7f)
        cont(pid)
        cont(child)
        expect(wait(child)).toBe(0)
        expect(wait(pid)).toBe(0x117f)
        cont(pid)
        open(1)
        expect(wait(pid)).toBe(0x0500)
      })

      it('by vfork let their parent go on at their end, too', () => {
        const { pid, open } = trace(world, 'v(r40x3)r41x5', how, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE)
        cont(pid)
        expect(wait(pid)).toBe(vforkStop)
        const child = takeBirth(world.system, pid, births[how])
        open(0)
        expect(wait(child)).toBe(0x0300)
        expect(wait(pid)).toBe(vforkDoneStop)
        cont(pid)
        expect(wait(pid)).toBe(0x117f)
        cont(pid)
        open(1)
        expect(wait(pid)).toBe(0x0500)
      })

      it('by vfork do not keep a parent that is killed', () => {
        const { pid, open } = trace(world, 'v(r40x3)x5', how, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE)
        cont(pid)
        expect(wait(pid)).toBe(vforkStop)
        const child = takeBirth(world.system, pid, births[how])
        world.system.kill(pid, 'SIGKILL')
        expect(wait(pid)).toBe(9)
        open(0)
        expect(wait(child)).toBe(0x0300)
      })
    })

    it('by vfork let an interrupt of their parent wait until it goes on, where any stop answers it', () => {
      const { pid, open } = trace(world, 'v(r40x3)r41x5', 'seize', PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE)
      cont(pid)
      expect(wait(pid)).toBe(vforkStop)
      const child = takeBirth(world.system, pid, eventStop)
      world.system.ptraceInterrupt(pid)
      expect(isQuiet(world.system, pid)).toBe(true)
      open(0)
      expect(wait(child)).toBe(0x0300)
      expect(wait(pid)).toBe(vforkDoneStop)
      cont(pid)
      expect(wait(pid)).toBe(0x117f)
      cont(pid)
      open(1)
      expect(wait(pid)).toBe(0x0500)
    })

    it('are there when their creator is killed before its event is taken, in a stop that no event has announced', () => {
      const { pid } = trace(world, 'f(p)p', 'seize', PTRACE_O_TRACEFORK)
      cont(pid)
      // The event is there, but not taken.
      const { P_PID, WNOWAIT, WSTOPPED } = constants
      expect(world.system.waitid(P_PID, pid, WSTOPPED | WNOWAIT)?.status).toMatchObject({ event: 'fork' })
      world.system.kill(pid, 'SIGKILL')
      expect(wait(pid)).toBe(9)
      const found = world.system.waitpid(-1)
      expect(found).toMatchObject({ raw: eventStop })
      world.system.kill(found!.pid, 'SIGKILL')
      expect(wait(found!.pid)).toBe(9)
    })
  },
  { tracing: true, threads: true },
)
