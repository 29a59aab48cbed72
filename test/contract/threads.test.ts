import { describe, expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { failure } from './helpers.ts'
import { cloneStop, eventStop, execStop, exitStop, isQuiet, sigstop, takeBirth, trace, waitFor } from './scripts.ts'
import { describeContract } from './suite.ts'

const { PTRACE_O_TRACECLONE, PTRACE_O_TRACEEXIT, PTRACE_O_TRACESYSGOOD, WNOHANG, __WALL } = constants

const births = { traceme: sigstop, seize: eventStop } as const

describeContract(
  'traced threads',
  world => {
    const wait = (tid: number) => waitFor(world.system, tid)
    const cont = (tid: number) => world.system.ptraceCont(tid)
    /** Ends the process and reaps its tasks. */
    const end = (pid: number, ...tids: number[]) => {
      world.system.kill(pid, 'SIGKILL')
      for (const tid of [...tids, pid]) expect(wait(tid)).toBe(9)
    }
    /** Starts a script whose main thread begins with threads; their tids. */
    const started = (script: string, how: 'traceme' | 'seize', threads: number, options = 0) => {
      const traced = trace(world, script, how, PTRACE_O_TRACECLONE | options)
      const tids: number[] = []
      for (let i = 0; i < threads; i++) {
        if (i === 0) cont(traced.pid)
        expect(wait(traced.pid)).toBe(cloneStop)
        tids.push(takeBirth(world.system, traced.pid, births[how]))
      }
      return { ...traced, tids }
    }
    /** The memory of a thread goes before its end can be seen otherwise. */
    const untilEnded = (tid: number) => {
      while (failure(() => world.system.readMemory(tid, 8n, 8)) !== 'ESRCH');
    }
    /** Waits for a stop for a signal of the process, which any thread may take; its number. */
    const waitForAny = (raw: number) => {
      const result = world.system.waitpid(-1, __WALL)
      expect(result?.raw).toBe(raw)
      return result!.pid
    }
    const stopBy = (tid: number) => {
      world.system.ptraceInterrupt(tid)
      expect(wait(tid)).toBe(eventStop)
    }

    describe('are born', () => {
      it('in a SIGSTOP without a sender, under PTRACE_TRACEME', () => {
        const { pid } = trace(world, 't(e3)p', 'traceme', PTRACE_O_TRACECLONE)
        cont(pid)
        expect(wait(pid)).toBe(cloneStop)
        const tid = world.system.ptraceGetEventMessage(pid)
        expect(wait(tid)).toBe(sigstop)
        expect(world.system.ptraceGetSigInfo(tid)).toMatchObject({ signal: 'SIGSTOP', code: 0, pid: 0, uid: 0 })
        cont(tid)
        expect(wait(tid)).toBe(0x0300)
        expect(failure(() => world.system.waitpid(tid, __WALL))).toBe('ECHILD')
        cont(pid)
        end(pid)
      })

      it('in an event stop of themselves, under PTRACE_SEIZE', () => {
        const { pid } = trace(world, 't(e3)p', 'seize', PTRACE_O_TRACECLONE)
        cont(pid)
        expect(wait(pid)).toBe(cloneStop)
        expect(world.system.ptraceGetSigInfo(pid)).toMatchObject({ signal: 'SIGTRAP', pid })
        const tid = world.system.ptraceGetEventMessage(pid)
        expect(wait(tid)).toBe(eventStop)
        expect(world.system.ptraceGetSigInfo(tid)).toMatchObject({ signal: 'SIGTRAP', code: 0x8005, pid: tid })
        cont(tid)
        expect(wait(tid)).toBe(0x0300)
        cont(pid)
        end(pid)
      })

      it('into a group stop when their process is in one', () => {
        const { pid, open } = trace(world, 'r40t(p)p', 'seize', PTRACE_O_TRACECLONE)
        cont(pid)
        world.system.kill(pid, 'SIGSTOP')
        expect(wait(pid)).toBe(sigstop)
        world.system.ptraceCont(pid, 'SIGSTOP')
        expect(wait(pid)).toBe(0x80137f)
        cont(pid)
        open(0)
        expect(wait(pid)).toBe(cloneStop)
        const tid = world.system.ptraceGetEventMessage(pid)
        expect(wait(tid)).toBe(0x80137f)
        end(pid, tid)
      })
    })

    describe.each(['traceme', 'seize'] as const)('under %s', how => {
      it('are stopped, stepped and let go each by itself', () => {
        const { pid, tids } = started('t(p)t(p)p', how, 2)
        const [a, b] = tids as [number, number]
        world.system.tgkill(pid, a, 'SIGUSR1')
        expect(wait(a)).toBe(0x0a7f)
        expect([isQuiet(world.system, b), isQuiet(world.system, pid)]).toEqual([true, true])
        expect(failure(() => cont(b))).toBe('ESRCH')
        world.system.ptraceDetach(a)
        expect(failure(() => cont(a))).toBe('ESRCH')
        expect(failure(() => world.system.waitpid(a, __WALL))).toBe('ECHILD')
        world.system.ptraceSeize(a, 0)
        expect(failure(() => world.system.ptraceSeize(b, 0))).toBe('EPERM')
        stopBy(a)
        end(pid, a, b)
      })

      it('end with their own code, and after the process has ended with its', () => {
        const { pid, tids, open } = started('t(r40e3)t(r41e4)r42x5', how, 2)
        const [a, b] = tids as [number, number]
        open(0)
        expect(wait(a)).toBe(0x0300)
        open(1)
        // Its end is there, but not taken.
        expect(world.system.waitid(constants.P_PID, b, constants.WEXITED | constants.WNOWAIT | __WALL)).toEqual({
          pid: b,
          status: { kind: 'exited', code: 4, signal: null },
        })
        open(2)
        untilEnded(pid)
        expect(isQuiet(world.system, pid)).toBe(true)
        expect(wait(b)).toBeOneOf([0x0400, 0x0500])
        expect(wait(pid)).toBe(0x0500)
      })

      it('are all killed, those at stops too, and the process is reaped last', () => {
        const { pid, tids } = started('t(p)t(p)p', how, 2)
        const [a, b] = tids as [number, number]
        world.system.tgkill(pid, a, 'SIGUSR1')
        expect(wait(a)).toBe(0x0a7f)
        world.system.kill(pid, 'SIGKILL')
        expect(wait(a)).toBe(9)
        expect(isQuiet(world.system, pid)).toBe(true)
        expect(wait(b)).toBe(9)
        expect(wait(pid)).toBe(9)
      })

      it('end with exit_group by one of them, those at stops too', () => {
        const { pid, tids, open } = started('t(p)t(r40x6)p', how, 2)
        const [a, b] = tids as [number, number]
        world.system.tgkill(pid, a, 'SIGUSR1')
        expect(wait(a)).toBe(0x0a7f)
        open(0)
        for (const tid of [a, b, pid]) expect(wait(tid)).toBe(0x0600)
      })

      it('stop at their ends with PTRACE_O_TRACEEXIT, killed ones too', () => {
        const { pid, tids, open } = started('t(r40e3)t(p)p', how, 2, PTRACE_O_TRACEEXIT)
        const [a, b] = tids as [number, number]
        open(0)
        expect(wait(a)).toBe(exitStop)
        expect(world.system.ptraceGetEventMessage(a)).toBe(0x0300)
        cont(a)
        expect(wait(a)).toBe(0x0300)
        world.system.kill(pid, 'SIGKILL')
        for (const tid of [b, pid]) {
          expect(wait(tid)).toBe(exitStop)
          expect(world.system.ptraceGetEventMessage(tid)).toBe(9)
          cont(tid)
          expect(wait(tid)).toBe(9)
        }
      })

      it('outlive the main thread, whose end can be taken only after theirs; the last code counts', () => {
        const { pid, tids, open } = started('t(r40e4)e3', how, 1)
        const [a] = tids as [number]
        world.system.tgkill(pid, a, 'SIGUSR1')
        expect(wait(a)).toBe(0x0a7f)
        untilEnded(pid)
        expect(isQuiet(world.system, pid)).toBe(true)
        cont(a)
        open(0)
        expect(wait(a)).toBe(0x0400)
        expect(wait(pid)).toBe(0x0400)
      })

      it('give the exec of one of them to the main thread, once the ends of the others are taken', () => {
        const { pid, tids, open } = started('t(r40E)t(p)p', how, 2)
        const [x, b] = tids as [number, number]
        world.system.tgkill(pid, b, 'SIGUSR1')
        world.system.waitid(constants.P_PID, b, constants.WEXITED | constants.WNOWAIT | __WALL)
        open(0)
        // The stop of b is gone once it is killed; until then it may still be seen.
        for (let raw = wait(b); raw !== 0; raw = wait(b)) expect(raw).toBe(0x0a7f)
        expect(wait(pid)).toBe(execStop)
        expect(world.system.ptraceGetEventMessage(pid)).toBe(x)
        expect(failure(() => world.system.waitpid(x, __WALL))).toBe('ECHILD')
        expect(failure(() => cont(x))).toBe('ESRCH')
        expect(failure(() => world.system.tgkill(pid, x, 0))).toBe('ESRCH')
        cont(pid)
        expect(wait(pid)).toBe(0)
      })

      it('wait for each other at an exec with PTRACE_O_TRACEEXIT, where their exit is 0', () => {
        const { pid, tids, open } = started('t(r40E)t(p)p', how, 2, PTRACE_O_TRACEEXIT)
        const [x, b] = tids as [number, number]
        open(0)
        for (const tid of [b, pid]) {
          expect(wait(tid)).toBe(exitStop)
          expect(world.system.ptraceGetEventMessage(tid)).toBe(0)
        }
        expect(failure(() => world.system.ptraceDetach(x))).toBe('ESRCH')
        cont(pid)
        expect(isQuiet(world.system, pid)).toBe(true)
        cont(b)
        expect(wait(b)).toBe(0)
        expect(wait(pid)).toBe(execStop)
        expect(world.system.ptraceGetEventMessage(pid)).toBe(x)
        cont(pid)
        expect(wait(pid)).toBe(exitStop)
        cont(pid)
        expect(wait(pid)).toBe(0)
      })

      it('end when the main thread execs, which keeps its number', () => {
        const { pid, tids, open } = started('t(p)r40E', how, 1)
        open(0)
        expect(wait(tids[0]!)).toBe(0)
        expect(wait(pid)).toBe(execStop)
        expect(world.system.ptraceGetEventMessage(pid)).toBe(pid)
        end(pid)
      })

      it('are killed while one of them waits in an exec for the others to be reaped', () => {
        const { pid, tids, open } = started('t(r40E)t(p)p', how, 2, PTRACE_O_TRACEEXIT)
        const [x, b] = tids as [number, number]
        open(0)
        expect([wait(b), wait(pid)]).toEqual([exitStop, exitStop])
        world.system.kill(pid, 'SIGKILL')
        expect(wait(x)).toBe(exitStop)
        expect(world.system.ptraceGetEventMessage(x)).toBe(9)
        for (const tid of [x, b, pid]) {
          try {
            cont(tid)
          } catch {
            // The SIGKILL has ended the stop.
          }
        }
        for (const tid of [x, b, pid]) expect(wait(tid)).toBe(9)
      })
    })

    describe('in a group stop', () => {
      it('stop all, listen, and trap all again at SIGCONT, seized', () => {
        const { pid, tids } = started('t(p)t(p)p', 'seize', 2)
        const all = [pid, ...tids]
        world.system.kill(pid, 'SIGSTOP')
        world.system.ptraceCont(waitForAny(sigstop), 'SIGSTOP')
        for (const tid of all) expect(wait(tid)).toBe(0x80137f)
        for (const tid of all) world.system.ptraceListen(tid)
        for (const tid of all) expect(isQuiet(world.system, tid)).toBe(true)
        // An interrupt while listening looks like a new group stop.
        world.system.ptraceInterrupt(tids[0]!)
        expect(wait(tids[0]!)).toBe(0x80137f)
        world.system.ptraceListen(tids[0]!)
        world.system.kill(pid, 'SIGCONT')
        for (const tid of all) expect(wait(tid)).toBe(eventStop)
        for (const tid of all) cont(tid)
        cont(waitForAny(0x127f))
        end(pid, ...tids)
      })

      it('stop all with no siginfo, under PTRACE_TRACEME', () => {
        const { pid, tids } = started('t(p)t(p)p', 'traceme', 2)
        world.system.kill(pid, 'SIGSTOP')
        world.system.ptraceCont(waitForAny(sigstop), 'SIGSTOP')
        for (const tid of [pid, ...tids]) {
          expect(wait(tid)).toBe(sigstop)
          expect(failure(() => world.system.ptraceGetSigInfo(tid))).toBe('EINVAL')
        }
        end(pid, ...tids)
      })

      it('lose the stop signals that are pending for any of them, at SIGCONT', () => {
        const { pid, tids } = started('t(p)p', 'seize', 1)
        const [a] = tids as [number]
        stopBy(a)
        world.system.tgkill(pid, a, 'SIGSTOP')
        world.system.tgkill(pid, a, 'SIGUSR1')
        expect(world.system.ptracePeekSigInfo(a, 0, 9).map(({ signal }) => signal)).toEqual(['SIGSTOP', 'SIGUSR1'])
        world.system.kill(pid, 'SIGCONT')
        expect(world.system.ptracePeekSigInfo(a, 0, 9).map(({ signal }) => signal)).toEqual(['SIGUSR1'])
        end(pid, a)
      })
    })

    it('of which the main one has ended cannot be seized by its number, but by theirs, nor their memory be read', () => {
      const { pid, tids } = started('t(p)e3', 'seize', 1)
      const [a] = tids as [number]
      stopBy(a)
      untilEnded(pid)
      expect(failure(() => world.system.ptraceCont(pid))).toBe('ESRCH')
      expect(failure(() => world.system.readMemory(pid, 8n, 8))).toBe('ESRCH')
      expect(failure(() => world.system.readMemory(a, 8n, 8))).toBe('EFAULT')
      world.system.kill(pid, 0)
      end(pid, a)
    })

    it('that an interrupt stops before a system call make it afterwards', () => {
      const { pid, tids, open } = started('t(r40e3)p', 'seize', 1, PTRACE_O_TRACESYSGOOD)
      const [a] = tids as [number]
      stopBy(a)
      world.system.ptraceSyscall(a)
      world.system.ptraceInterrupt(a)
      const first = world.system.waitpid(a, __WALL)?.raw
      expect(first).toBeOneOf([eventStop, 0x857f])
      cont(a)
      open(0)
      let raw = wait(a)
      if (raw === eventStop) {
        cont(a)
        raw = wait(a)
      }
      expect(raw).toBe(0x0300)
      expect(world.system.waitpid(pid, WNOHANG)).toBeNull()
      end(pid)
    })
  },
  { tracing: true, threads: true },
)
